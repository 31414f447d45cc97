"""deploy/compose against the chart: the same services with the same files, users, limits, ports and times to end."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from chart import BIN, HELM, MINORS, ROOT, Object, of_kind, pods
from pod_files import PodFiles, run
from stack.paths import PROMETHEUS

COMPOSE = ROOT / "deploy/compose"
FILE = yaml.safe_load((COMPOSE / "compose.yaml").read_text())
ENVIRONMENT = dict(line.split("=", 1) for line in (COMPOSE / ".env.example").read_text().splitlines() if "=" in line and not line.startswith("#"))
# Kubernetes' pods are given time to be forgotten by balancers, and a margin: here the process's own time to end is what counts.
UNITS = {"k": 2**10, "m": 2**20, "g": 2**30}


@pytest.fixture(scope="module")
def rendered() -> list[Object]:
    command = [str(HELM), "template", "syncline", str(ROOT / "helm/syncline"), "--namespace", "compose", "--kube-version", MINORS[-1]]
    done = subprocess.run([*command, "--values", str(COMPOSE / "values.yaml")], capture_output=True, text=True, check=True)
    return [found for found in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if found]


def deployments(rendered: list[Object]) -> dict[str, Object]:
    return {each["metadata"]["name"]: each["spec"]["template"]["spec"] for each in of_kind(rendered, "Deployment")}


def filled(text: str) -> str:
    """A text of the file with .env.example in it, as Compose fills it."""
    return re.sub(r"\$\{(\w+)(?::[-?]([^}]*))?\}", lambda found: ENVIRONMENT.get(found[1]) or found[2] or "", text)


def bytes_of(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([kmg])?i?", str(text).lower()).groups()
    return int(number) * UNITS.get(unit, 1)


def mounts(service: Object) -> dict[str, str]:
    """By path in the container: path beside compose.yaml."""
    found = {}
    for entry in service["volumes"]:
        source, target, mode = entry.split(":")
        assert mode == "ro", entry
        found[target] = source.removeprefix("./")
    return found


def test_the_files_are_those_of_the_chart() -> None:
    done = subprocess.run([sys.executable, str(ROOT / "tools/docs/compose.py"), "--check", "--helm", str(HELM)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_deployment_is_a_service_and_every_variable_is_in_the_example(rendered: list[Object]) -> None:
    assert {name for name in FILE["services"] if name.startswith("syncline-")} == set(deployments(rendered))
    variables = set(re.findall(r"\$\{(\w+)", (COMPOSE / "compose.yaml").read_text()))
    variables |= set(re.findall(r"\$(?:\{)?([A-Z][A-Z_]+)", (COMPOSE / "secrets.sh").read_text()))
    assert variables - {"BASH_REMATCH"} == set(ENVIRONMENT)
    assert {"kafka", "postgres", "prometheus", "alertmanager", "grafana", "synclinectl"} <= set(FILE["services"])


def test_each_runs_as_its_pod_does(rendered: list[Object]) -> None:
    pairs = {**deployments(rendered), "synclinectl": next(pod["spec"] for owner, pod in pods(rendered) if owner.startswith("Pod/"))}
    for name, spec in pairs.items():
        service, container = FILE["services"][name], spec["containers"][0]
        assert filled(service["image"]) == container["image"], name
        assert service["user"] == f"{spec['securityContext']['runAsUser']}:{spec['securityContext']['runAsGroup']}", name
        assert service["read_only"] is container["securityContext"]["readOnlyRootFilesystem"] is True, name
        assert service["cap_drop"] == container["securityContext"]["capabilities"]["drop"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert bytes_of(service["mem_limit"]) == bytes_of(container["resources"]["limits"]["memory"]), name
        (tmpfs,) = service["tmpfs"]
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        assert tmpfs.startswith("/tmp:size=") and "mode=1777" in tmpfs, name
        assert bytes_of(tmpfs.split("size=")[1].split(",")[0]) == bytes_of(volumes["tmp"]["emptyDir"]["sizeLimit"]), name
        wanted = {}
        for mount in container["volumeMounts"]:
            volume = volumes[mount["name"]]
            if "secret" in volume:
                wanted[mount["mountPath"]] = f"secrets/{volume['secret']['secretName']}"
            elif "configMap" in volume:
                wanted[mount["mountPath"]] = f"config/{volume['configMap']['name'].removesuffix('-config') if mount['name'] == 'config' else mount['name']}"
        assert mounts(service) == wanted, name
        if name == "synclinectl":
            continue
        assert service["command"] == container["args"], name
        env = {entry["name"]: entry["value"] for entry in container.get("env", [])}
        assert service.get("environment", {}) == env, name
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert service["expose"] == [str(ports["admin"])], name
        assert [filled(port).rsplit(":", 1)[1] for port in service.get("ports", [])] == [str(port) for key, port in ports.items() if key == "http"], name
        # As long as the pod has, without the pause in which a balancer would forget it; never less than the process takes to drain.
        pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        grace = int(service["stop_grace_period"].removesuffix("s"))
        assert grace >= spec["terminationGracePeriodSeconds"] - pause, name
        config = yaml.safe_load((COMPOSE / f"config/{name}/config.yaml").read_text())
        assert grace > int(config["drain_seconds"].removesuffix("s")), name


def test_each_waits_for_what_it_needs(rendered: list[Object]) -> None:
    """No migration Jobs: the services migrate, so the database comes first; a missing topic would stop them."""
    for name in deployments(rendered):
        wanted = {"topics"} | ({"postgres"} if "postgres" in yaml.safe_load((COMPOSE / f"config/{name}/config.yaml").read_text()) else set())
        assert set(FILE["services"][name]["depends_on"]) == wanted, name
        config = yaml.safe_load((COMPOSE / f"config/{name}/config.yaml").read_text())
        assert config.get("postgres", {}).get("migrate_at_start", True) is True
        assert config["kafka"]["brokers"] == ["kafka:9092"]


def test_every_service_takes_the_configuration_it_is_given(rendered: list[Object], tmp_path: Path, pem: tuple[str, str]) -> None:
    """The files of config/ themselves, at the places where the containers have them."""
    for name, spec in deployments(rendered).items():
        pod = {"spec": spec}
        maps = {}
        for volume in spec["volumes"]:
            if "configMap" in volume:
                folder = COMPOSE / mounts(FILE["services"][name])[f"/etc/syncline/{volume['name']}"]
                maps[volume["configMap"]["name"]] = {path.name: path.read_text() for path in folder.iterdir()}
        files = PodFiles(tmp_path / name, rendered, pod, pem, maps)
        assert not files.missing, name
        done = run(files, pod, "--check-config")
        assert done.returncode == 0, f"{name}: {done.stderr}{done.stdout}"
        assert "configuration ok" in done.stdout


def test_secrets_sh_makes_every_file_that_is_mounted_and_keeps_what_it_made_by_chance(rendered: list[Object], tmp_path: Path) -> None:
    shutil.copy(COMPOSE / "secrets.sh", tmp_path)
    script = tmp_path / "secrets.sh"
    refused = subprocess.run([str(script)], capture_output=True, text=True)
    assert refused.returncode == 1 and ".env.example" in refused.stderr
    (tmp_path / ".env").write_text("".join(f"{key}={value or 'x1'}\n" for key, value in ENVIRONMENT.items()))
    subprocess.run([str(script)], check=True, capture_output=True)
    first = {path.relative_to(tmp_path).as_posix(): path.read_text() for path in (tmp_path / "secrets").rglob("*") if path.is_file()}
    subprocess.run([str(script)], check=True, capture_output=True)
    again = {path.relative_to(tmp_path).as_posix(): path.read_text() for path in (tmp_path / "secrets").rglob("*") if path.is_file()}
    assert first == again
    for name, spec in deployments(rendered).items():
        for mount, source in mounts(FILE["services"][name]).items():
            if not source.startswith("secrets/"):
                continue
            config = "".join(path.read_text() for path in (COMPOSE / "config").rglob("*.yaml"))
            for key in re.findall(rf"{re.escape(mount)}/([\w.-]+)", config):
                assert f"{source}/{key}" in first, f"{name} reads {mount}/{key}"
    postgres = FILE["services"]["postgres"]["environment"]
    assert first["secrets/syncline-db/uri"].strip() == f"postgresql://{postgres['POSTGRES_USER']}:x1@postgres:5432/{postgres['POSTGRES_DB']}"
    for file in re.findall(r"/etc/alertmanager/(secrets/[\w-]+)", (ROOT / "deploy/alertmanager/alertmanager.yaml").read_text()):
        assert file.replace("secrets/", "secrets/alertmanager/") in first


def test_the_broker_takes_what_the_topics_take() -> None:
    environment = FILE["services"]["kafka"]["environment"]
    largest = max(int(size) for size in re.findall(r"max\.message\.bytes=(\d+)", (COMPOSE / "topics/create.sh").read_text()))
    assert int(environment["KAFKA_MESSAGE_MAX_BYTES"]) >= largest
    assert environment["KAFKA_ADVERTISED_LISTENERS"] == "PLAINTEXT://kafka:9092"
    assert FILE["services"]["topics"]["image"] == FILE["services"]["kafka"]["image"]


def test_prometheus_scrapes_every_service_under_the_charts_labels_and_loads_the_charts_rules(rendered: list[Object], tmp_path: Path) -> None:
    config = yaml.safe_load((COMPOSE / "prometheus/prometheus.yaml").read_text())
    job = next(job for job in config["scrape_configs"] if job["job_name"] == "syncline")
    wanted = {}
    for each in of_kind(rendered, "Deployment"):
        labels = each["spec"]["template"]["metadata"]["labels"]
        wanted[f"{each['metadata']['name']}:8081"] = f"{labels['app.kubernetes.io/name']}/{labels['app.kubernetes.io/component']}"
    assert {entry["targets"][0]: entry["labels"]["deployment"] for entry in job["static_configs"]} == wanted
    prometheus = FILE["services"]["prometheus"]
    assert mounts({"volumes": prometheus["volumes"][:2]}) == {"/etc/prometheus": "prometheus", "/etc/syncline/rules": "../../helm/syncline/files/rules"}
    assert mounts({"volumes": FILE["services"]["alertmanager"]["volumes"][:1]}) == {"/etc/alertmanager/alertmanager.yaml": "../alertmanager/alertmanager.yaml"}
    if not (PROMETHEUS / "promtool").exists():
        pytest.skip("promtool is not there: run tools/dev test chart")
    config["rule_files"] = [str(ROOT / "helm/syncline/files/rules/*.yaml")]
    (tmp_path / "prometheus.yaml").write_text(yaml.safe_dump(config))
    checked = subprocess.run([str(PROMETHEUS / "promtool"), "check", "config", str(tmp_path / "prometheus.yaml")], capture_output=True, text=True)
    assert checked.returncode == 0 and "rules found" in checked.stdout, checked.stdout + checked.stderr


def test_grafana_has_the_dashboards_of_the_chart() -> None:
    targets = mounts({"volumes": FILE["services"]["grafana"]["volumes"][:3]})
    provider = yaml.safe_load((COMPOSE / "grafana/dashboards.yaml").read_text())["providers"][0]
    assert targets[provider["options"]["path"]] == "../../helm/syncline/files/dashboards"
    source = yaml.safe_load((COMPOSE / "grafana/datasource.yaml").read_text())["datasources"][0]
    assert source["url"] == "http://prometheus:9090" and source["isDefault"]


def test_the_services_are_built_here() -> None:
    """Without them the check of the configurations above would have been skipped."""
    assert (BIN / "ingress").exists(), "build before: tools/dev test chart does"
