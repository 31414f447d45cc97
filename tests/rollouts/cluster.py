"""The rendered chart on this machine: every pod a process with its command, environment, files, probes and grace, every Service a balancer.

A pod's address is one of 127.1.0.0/16, its ports are the container's. What differs from Kubernetes: addresses instead of names, no
memory limit, and servers (Kafka, PostgreSQL, the sandboxes) that the local stack starts.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from balancer import Balancer
from chart import BIN, Object, objects, of_kind
from pod_files import PodFiles, start_of
from stack import Connection, Stack
from stack.process import Process, StackError, wait_until
from stack.stack import Service
from stack.stock import Stock, default_mapping
from support.mapping import mapping_text

PREFIX = "syncline-"


def answers(url: str, seconds: float) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=seconds) as answer:
            return answer.status == 200
    except OSError:
        return False


class Pod:
    """A process and its kubelet: start-up, liveness and readiness probes at their periods, the pause and the grace of its end."""

    numbers = itertools.count(1)

    def __init__(self, cluster: Cluster, deployment: Object) -> None:
        number = next(Pod.numbers)
        self.cluster = cluster
        self.deployment = deployment["metadata"]["name"]
        self.name = f"{self.deployment}-{number}"
        self.spec = deployment["spec"]["template"]["spec"]
        self.container = self.spec["containers"][0]
        self.ports = {port["name"]: port["containerPort"] for port in self.container["ports"]}
        self.address = f"127.1.{number // 250}.{number % 250 + 1}"
        self.killed_by: list[str] = []
        # The last ones that were read, for who asks after its end.
        self.figures = 0.0
        self.refused: Counter[str] = Counter()
        self._end = threading.Event()
        files = cluster.files(self.name, {"spec": self.spec})
        command, environment = start_of(files, {"spec": self.spec})
        environment["SYNCLINE_ADMIN_LISTEN"] = f"{self.address}:{self.ports['admin']}"
        if "http" in self.ports:
            environment["SYNCLINE_LISTEN"] = f"{self.address}:{self.ports['http']}"
        # Nothing of this process's environment but PATH: env -i, as in a container.
        self.process = Process(
            self.name, ["env", "-i", *(f"{key}={value}" for key, value in environment.items()), *command], cluster.folder / "logs" / f"{self.name}.log"
        )
        self._prober = threading.Thread(target=self._probe, name=f"kubelet {self.name}", daemon=True)

    @property
    def admin(self) -> str:
        return f"{self.address}:{self.ports['admin']}"

    def _asks(self, kind: str) -> bool:
        probe = self.container[f"{kind}Probe"]
        return answers(f"http://{self.address}:{self.ports[probe['httpGet']['port']]}{probe['httpGet']['path']}", probe.get("timeoutSeconds", 1))

    def start(self) -> Pod:
        self.process.start()
        probe = self.container["startupProbe"]
        for _ in range(probe["failureThreshold"]):
            if not self.process.running():
                raise StackError(f"{self.name} ended with {self.process.exit_code()}:\n{self.process.tail()}")
            if self._asks("startup"):
                break
            time.sleep(probe["periodSeconds"])
        else:
            raise StackError(f"{self.name}: its start-up probe failed {probe['failureThreshold']} times:\n{self.process.tail()}")
        self._prober.start()
        return self

    def ready(self) -> bool:
        return any(self._endpoint(name) in balancer.endpoints() for name, balancer in self.cluster.ports_of(self))

    def wait_ready(self, seconds: float = 90) -> Pod:
        def good() -> bool:
            if not self.process.running():
                raise StackError(f"{self.name} ended with {self.process.exit_code()}:\n{self.process.tail()}")
            return self.ready()

        wait_until(good, seconds, f"{self.name} is ready (http://{self.admin}/readyz?verbose, log: {self.process.log})")
        return self

    def _endpoint(self, port: str) -> tuple[str, int]:
        return self.address, self.ports[port]

    def _probe(self) -> None:
        due = {"liveness": time.monotonic() + self.container["livenessProbe"]["periodSeconds"], "readiness": time.monotonic()}
        failed = dict.fromkeys(due, 0)
        while not self._end.wait(max(0.0, min(due.values()) - time.monotonic())):
            kind = min(due, key=due.__getitem__)
            probe = self.container[f"{kind}Probe"]
            due[kind] = time.monotonic() + probe["periodSeconds"]
            failed[kind] = 0 if self._asks(kind) else failed[kind] + 1
            if self._end.is_set():
                return
            if kind == "readiness" and failed[kind] == 0:
                self._listed(True)
            elif failed[kind] >= probe["failureThreshold"]:
                if kind == "readiness":
                    self._listed(False)
                else:
                    self.killed_by.append("its liveness probe failed")
                    self.process.signal(signal.SIGKILL)
                    return

    def _listed(self, listed: bool) -> None:
        for name, balancer in self.cluster.ports_of(self):
            (balancer.add if listed else balancer.remove)(self._endpoint(name))

    def end(self) -> None:
        """As the kubelet ends a pod: off the endpoints, preStop, SIGTERM, and SIGKILL when the grace period is over."""
        self._end.set()
        self._listed(False)
        began = time.monotonic()
        time.sleep(self.container["lifecycle"]["preStop"]["sleep"]["seconds"])
        self.figures = self.cluster.figure_of(self)
        self.process.signal(signal.SIGTERM)
        try:
            self.process.wait(max(1.0, self.spec["terminationGracePeriodSeconds"] - (time.monotonic() - began)))
        except StackError:
            self.killed_by.append("its grace period was over")
            self.process.kill()
        self._prober.join(10)
        assert self.process.exit_code() == 0, f"{self.name} ended with {self.process.exit_code()} {self.killed_by}:\n{self.process.tail()}"


class Cluster(Stack):
    """A stack whose services are the chart's pods: add_service starts a deployment's replicas behind its Service."""

    def __init__(self, folder: Path, **options: Any) -> None:
        super().__init__(folder, **options)
        self.pods: dict[str, list[Pod]] = {}
        self.gone: list[Pod] = []
        self.ordered: list[dict[str, Any]] = []  # What each order sent so far must have become.
        self.services_of: dict[str, dict[str, Balancer]] = {}  # Deployment → name of the port → its Service.
        self._rendered: list[Object] = []

    # ---- what is rendered

    def values(self) -> Object:
        shops = {
            shop.alias: {
                "domain": shop.domain,
                "app": f"app-{shop.alias}",
                "currency": shop.currency,
                "timezone": shop.timezone,
                "admin": {"tokenKey": "token", "url": self.shopify.url(shop.alias)},
            }
            for shop in self.shops
        }
        target = {"url": self.odoo_url(), "database": "sandbox", "login": "syncline", "api_key_file": {"secret": "export", "key": "odoo-main-api-key"}}
        return {
            "kafka": {"brokers": self.kafka.brokers},
            "postgres": {"existingSecret": "db"},
            "admin": {"existingSecret": "admin"},
            "shopify": {"existingSecret": "shopify", "apps": {f"app-{shop.alias}": {"secretKeys": [shop.alias]} for shop in self.shops}},
            "shops": shops,
            "stockSources": {
                "existingSecret": "sources",
                "sources": {source.name: {"proof": source.proof, "basis": source.basis, "secretKeys": [source.name]} for source in self.stock_sources},
            },
            "services": {
                "order-export": {
                    "config": {"contact_key_file": {"secret": "export", "key": "contact-key"}},
                    "connections": {"odoo-main": {"config": {"target": target}, "mapping": mapping_text()}},
                },
                "inventory-sync": {
                    "connections": {"stock-main": {"mapping": default_mapping(self.shopify, [shop.alias for shop in self.shops])}}
                },
                "reconciliation": {"connections": {"main": {"config": {"stock": {"mapping": "stock-main"}}}}},
                "order-status": {"connections": {"main": {}}},
            },
        }

    def secrets(self) -> dict[str, str]:
        vault = self.folder / "secrets"
        found = {
            "db/uri": self.postgres.url,
            "admin/tokens": (vault / "admin-token").read_text(),
            "export/contact-key": (vault / "contact-key").read_text(),
            "export/odoo-main-api-key": (vault / "odoo-main-api-key").read_text(),
            "shopify/token": (vault / "shopify-token").read_text(),
        }
        found |= {f"shopify/{shop.alias}": (vault / f"shopify-{shop.alias}").read_text() for shop in self.shops}
        return found | {f"sources/{source.name}": (vault / f"stock-{source.name}").read_text() for source in self.stock_sources}

    def rendered(self) -> list[Object]:
        if not self._rendered:
            self.shopify.wait_ready()
            self._rendered = objects("smallest", values=self.values())
            for deployment in of_kind(self._rendered, "Deployment"):
                ports = {port["name"] for port in deployment["spec"]["template"]["spec"]["containers"][0]["ports"]}
                name = deployment["metadata"]["name"]
                public = {"http": self.ingress_port} if "http" in ports else {}
                self.services_of[name] = {port: Balancer(public.get(port, 0)).start() for port in sorted(ports)}
            self._migrate()
        return self._rendered

    def files(self, name: str, pod: Object) -> PodFiles:
        files = PodFiles(self.folder / "pods" / name, self.rendered(), pod, ("", ""), {}, contents=self.secrets())
        for path in files.folder.glob("etc/syncline/*/*.yaml"):
            text = path.read_text()
            for service, ports in self.services_of.items():  # The cluster's names.
                text = text.replace(f"http://{service}:8081", f"http://127.0.0.1:{ports['admin'].port}")
            path.write_text(text)
        return files

    def _migrate(self) -> None:
        """The Jobs before the pods, as an upgrade runs them."""
        for job in of_kind(self._rendered, "Job"):
            pod = job["spec"]["template"]
            command, environment = start_of(self.files(job["metadata"]["name"], pod), pod, "--migrate")
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=job["spec"]["activeDeadlineSeconds"])
            if done.returncode != 0:
                raise StackError(f"{job['metadata']['name']}: {done.stdout}{done.stderr}")

    # ---- pods

    def ports_of(self, pod: Pod) -> list[tuple[str, Balancer]]:
        return list(self.services_of[pod.deployment].items())

    def deployment(self, name: str) -> Object:
        return next(each for each in of_kind(self.rendered(), "Deployment") if each["metadata"]["name"] == name)

    def all_pods(self) -> list[Pod]:
        return [pod for pods in self.pods.values() for pod in pods]

    def _add_service(self, name: str, binary: str, config: Path, connection: str = "") -> Service:
        parts = {"ingress": "", "order-export": f"-{connection}", "inventory-sync": f"-{self.stock.name}"}
        deployment = self.deployment(PREFIX + binary + parts.get(binary, "-main"))
        called = deployment["metadata"]["name"]
        self.pods[called] = [Pod(self, deployment).start() for _ in range(deployment["spec"]["replicas"])]
        self.services[name] = Service(self.pods[called][0].process, f"127.0.0.1:{self.services_of[called]['admin'].port}", name, connection)
        return self.services[name]

    def roll(self, name: str) -> None:
        """kubectl rollout restart: one more pod, and when it is ready one less, until all are new (maxSurge 1, maxUnavailable 0)."""
        strategy = self.deployment(name)["spec"]["strategy"]["rollingUpdate"]
        assert strategy == {"maxSurge": 1, "maxUnavailable": 0}
        for old in list(self.pods[name]):
            self.scale_up(name)
            self._take_away(old)

    def scale_up(self, name: str, count: int = 1) -> None:
        started = [Pod(self, self.deployment(name)).start() for _ in range(count)]
        self.pods[name] += started
        for pod in started:
            pod.wait_ready()

    def scale_down(self, name: str, count: int) -> None:
        """All at once, as a Deployment does it."""
        leaving = self.pods[name][-count:]
        failures: list[BaseException] = []

        def end(pod: Pod) -> None:
            try:
                self._take_away(pod)
            except BaseException as error:  # Told by the test's own thread.
                failures.append(error)

        threads = [threading.Thread(target=end, args=[pod]) for pod in leaving]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def _take_away(self, pod: Pod) -> None:
        pod.end()
        self.pods[pod.deployment].remove(pod)
        self.gone.append(pod)
        for service in self.services.values():  # Whoever looks at the process sees one that lives.
            if service.process is pod.process:
                service.process = self.pods[pod.deployment][0].process

    # ---- figures

    def figure_of(self, pod: Pod) -> float:
        """Records that it has settled; what it last told when it does not answer."""
        try:
            with urllib.request.urlopen(f"http://{pod.admin}/metrics", timeout=3) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return pod.figures
        names = ("syncline_events_total{", "syncline_batch_records_sum{")
        for line in lines:
            if line.startswith("syncline_ingress_rejected_total{"):
                pod.refused[line.split('reason="')[1].split('"')[0]] = int(float(line.rsplit(" ", 1)[1]))
        pod.figures = sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(names))
        return pod.figures

    def settled_by(self, name: str) -> float:
        """Records that a deployment's pods, those that are gone too, have settled."""
        return sum(map(self.figure_of, self.pods[name])) + sum(pod.figures for pod in self.gone if pod.deployment == name)

    def refused(self) -> Counter[str]:
        """Requests that ingress has answered with other than 200, by reason."""
        for pod in self.all_pods():
            self.figure_of(pod)
        return sum((pod.refused for pod in [*self.gone, *self.all_pods()]), Counter())

    def stop(self) -> None:
        pods = self.all_pods()
        for pod in pods:
            pod._end.set()
        for pod in pods:
            pod.process.stop()
        for ports in self.services_of.values():
            for balancer in ports.values():
                balancer.stop()
        super().stop()


@contextlib.contextmanager
def running() -> Iterator[Cluster]:
    """A cluster of its own; its folder is kept when SYNCLINE_KEEP is set."""
    if not (BIN / "loadgen").exists():
        raise StackError("loadgen is not built: run tools/dev test chaos")
    folder = Path(tempfile.mkdtemp(prefix="syncline-rollouts-"))
    folder.chmod(0o755)
    try:
        with Cluster(folder, connections=[Connection(mapping=mapping_text())], stock=Stock(items=200, quantity=100000, webhooks=())) as cluster:
            yield cluster
    finally:
        if os.environ.get("SYNCLINE_KEEP"):
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


__all__ = ["Cluster", "Pod", "running"]
