"""An image holds one program and what it needs, and runs as the chart's pods run it: its user, a read-only root, the pod's files."""

from __future__ import annotations

import os
import subprocess
import urllib.request
from pathlib import Path

import pytest
import yaml
from chart import Object, objects, pods
from pod_files import EXISTING, PodFiles
from stack import images
from stack.kafka import Kafka
from stack.process import Process, StackError, free_port, wait_until


def pod_of(service: str) -> Object:
    """The production chart's first pod of that service."""
    for owner, pod in pods(objects("production")):
        program = Path(pod["spec"]["containers"][0].get("command", [""])[0]).name
        if program == service and not owner.startswith("Job/"):
            return pod
    raise AssertionError(f"no pod runs {service}")


def files_of(service: str, folder: Path, pem: tuple[str, str]) -> PodFiles:
    files = PodFiles(folder, objects("production"), pod_of(service), pem, EXISTING, mounted=True)
    assert not files.missing
    return files


def run_of(service: str, files: PodFiles, *verb: str) -> images.Run:
    """What the kubelet makes of the pod: its command, environment and mounts."""
    spec = pod_of(service)["spec"]
    container = spec["containers"][0]
    assert spec["securityContext"]["runAsUser"] == int(images.USER)
    assert container["securityContext"]["readOnlyRootFilesystem"]
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    empty = [mount["mountPath"] for mount in container["volumeMounts"] if "emptyDir" in volumes[mount["name"]]]
    mounts = {mount["mountPath"]: files.moved(mount["mountPath"]) for mount in container["volumeMounts"] if mount["mountPath"] not in empty}
    env = {entry["name"]: entry.get("value", "x") for entry in container.get("env", []) if not entry["name"].startswith("OTEL_")}
    return images.Run([*container["command"], *container["args"], *verb], env, mounts, empty)


def output(engine: images.Engine, image: str, run: images.Run) -> subprocess.CompletedProcess[str]:
    with engine.command(image, run) as command:
        return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_it_is_small_and_holds_one_program_and_no_shell(engine: images.Engine, image: str, service: str) -> None:
    with engine.root(image) as root:
        files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
        megabytes = sum(path.stat().st_size for path in files) / 1e6
        programs = [path for path in files if os.access(path, os.X_OK) and ".so" not in path.name]
        assert [path.relative_to(root).as_posix() for path in programs] == [f"usr/bin/{service}"]
        assert (root / "etc/ssl/certs/ca-certificates.crt").stat().st_size > 100_000
        assert (root / "usr/share/zoneinfo/Europe/Berlin").exists()
        assert not [path for path in files if path.stat().st_mode & 0o6000], "nothing that gives more rights"
    print(f"{service}: {megabytes:.1f} MB")
    assert megabytes < images.MEGABYTES_MAX


def test_it_says_who_it_is(engine: images.Engine, image: str, service: str) -> None:
    config = engine.config(image)
    assert config["User"] == f"{images.USER}:{images.USER}"
    assert config["Entrypoint"] == ["/service"]
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in config["Labels"].items()}
    assert labels["version"] == str(images.chart()["appVersion"])
    assert labels["source"] == images.chart()["sources"][0]
    assert labels["title"] == f"syncline/{service}"
    version = output(engine, image, images.Run([f"/usr/bin/{service}", "--version"]))
    assert version.returncode == 0, version.stderr
    assert labels["version"] in version.stdout
    if labels["revision"] and service != "synclinectl":
        assert labels["revision"] in version.stdout


PROBE = r"""
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(void) {
    printf("%d", (int)getuid());
    if (open("/tmp/a", O_CREAT | O_WRONLY, 0600) >= 0) printf(" tmp");
    if (open("/usr/b", O_CREAT | O_WRONLY, 0600) >= 0) printf(" usr");
    char line[256];
    FILE* status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (!strncmp(line, "CapEff:", 7) || !strncmp(line, "NoNewPrivs:", 11)) printf(" %s", line);
    return 0;
}
"""


def test_its_user_has_no_rights_and_writes_nothing_but_its_temporary_folder(engine: images.Engine, image: str, service: str, tmp_path: Path) -> None:
    """The check of the others: what runs the image here does take root, rights and capabilities away."""
    folder = tmp_path / "probe"
    folder.mkdir()
    (folder / "probe.c").write_text(PROBE)
    subprocess.run(["gcc", "-static", "-o", str(folder / "probe"), str(folder / "probe.c")], check=True)
    done = output(engine, image, images.Run(["/probe/probe"], mounts={"/probe": folder}))
    assert done.stdout.split() == [images.USER, "tmp", "CapEff:", "0000000000000000", "NoNewPrivs:", "1"], done.stdout + done.stderr


def test_it_takes_the_pods_configuration(engine: images.Engine, image: str, service: str, tmp_path: Path, pem: tuple[str, str]) -> None:
    if service == "synclinectl":
        pytest.skip("it has no --check-config")
    files = files_of(service, tmp_path, pem)
    done = output(engine, image, run_of(service, files, "--check-config"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "configuration ok" in done.stdout
    files.moved("/etc/syncline/config/config.yaml").write_text("no_such_key: 1\n")
    done = output(engine, image, run_of(service, files, "--check-config"))
    assert done.returncode == 2, "the check can fail"
    assert "no_such_key" in done.stderr


def test_ingress_becomes_ready_and_ends_when_told(engine: images.Engine, tmp_path: Path, pem: tuple[str, str]) -> None:
    """The pod's command, environment, files and probes; Kafka is this machine's, the ports are free ones."""
    if "ingress" not in os.environ.get("SYNCLINE_IMAGES", "ingress") or not engine.has(images.name_of("ingress")):
        pytest.skip("ingress is not built")
    files = files_of("ingress", tmp_path, pem)
    kafka = Kafka(tmp_path / "kafka")
    admin = free_port()
    config = files.moved("/etc/syncline/config/config.yaml")
    tree = yaml.safe_load(config.read_text())
    tree["kafka"] = {"brokers": kafka.brokers}
    tree["admin"]["listen"] = f"127.0.0.1:{admin}"
    tree["listen"] = f"127.0.0.1:{free_port()}"
    config.write_text(yaml.safe_dump(tree))
    pod = pod_of("ingress")["spec"]
    try:
        kafka.start()
        kafka.wait_ready()
        kafka.create_topics()
        with engine.command(images.name_of("ingress"), run_of("ingress", files)) as command:
            process = Process("ingress", command, tmp_path / "ingress.log", stop_seconds=pod["terminationGracePeriodSeconds"])
            process.start()
            try:

                def ready() -> bool:
                    if not process.running():
                        raise StackError(process.tail())
                    try:
                        with urllib.request.urlopen(f"http://127.0.0.1:{admin}{pod['containers'][0]['readinessProbe']['httpGet']['path']}", timeout=3) as answer:
                            return answer.status == 200
                    except OSError:
                        return False

                wait_until(ready, 60, f"ingress is ready: {process.log}")
            finally:
                code = process.stop()
            assert code == 0, process.tail()
    finally:
        kafka.process.stop()
