"""What the chart hands to each container is judged by the real binary: a key, a type or a path that is wrong ends with exit 2."""

from __future__ import annotations

import os
import subprocess
import urllib.parse
from pathlib import Path

import pytest
import yaml
from chart import BIN, ROOT, VALUE_SETS, Object, objects, pods
from pod_files import PodFiles, certificate
from stack.paths import postgres_bin

# What value sets leave to a ConfigMap of their own.
EXISTING = {"syncline-mappings-from-git": {"odoo-main.yaml": (ROOT / "deploy/local/mappings/odoo-main.yaml").read_text()}}


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    return certificate(tmp_path_factory.mktemp("pem"))


def run(files: PodFiles, pod: Object, *verb: str) -> subprocess.CompletedProcess[str]:
    container = pod["spec"]["containers"][0]
    binary = BIN / Path(container["command"][0]).name
    if not binary.exists():
        pytest.skip(f"{binary.name} is not built")
    # Only what the pod gives: a SYNCLINE_ variable of the caller must not help.
    environment = {"PATH": os.environ["PATH"], **{entry["name"]: entry.get("value", "x") for entry in container.get("env", [])}}
    environment.pop("OTEL_EXPORTER_OTLP_ENDPOINT", None)
    arguments = [files.text(argument) for argument in container["args"] if argument != "--migrate"]
    return subprocess.run([str(binary), *arguments, *verb], capture_output=True, text=True, env=environment, timeout=30)


@pytest.mark.parametrize("value_set", VALUE_SETS)
def test_every_service_takes_the_configuration_it_is_given(value_set: str, tmp_path: Path, pem: tuple[str, str]) -> None:
    rendered = objects(value_set)
    judged = 0
    for owner, pod in pods(rendered):
        if "synclinectl" in pod["spec"]["containers"][0]["name"]:
            continue
        files = PodFiles(tmp_path / owner.replace("/", "-"), rendered, pod, pem, EXISTING)
        assert not files.missing, f"{owner}: named in the configuration, not mounted: {files.missing}"
        done = run(files, pod, "--check-config")
        assert done.returncode == 0, f"{owner}: {done.stderr}{done.stdout}"
        assert "configuration ok" in done.stdout
        judged += 1
    assert judged > 0


def test_shops_and_their_secrets_are_read(tmp_path: Path, pem: tuple[str, str]) -> None:
    rendered = objects("production")
    pod = dict(pods(rendered))["Deployment/syncline-ingress"]
    done = run(PodFiles(tmp_path, rendered, pod, pem, {}), pod, "--check-config")
    assert "shops: 2" in done.stdout, done.stdout
    assert done.stdout.count("2 of 2 secrets readable") == 2, done.stdout


def test_mappings_are_read_text_and_map(tmp_path: Path, pem: tuple[str, str]) -> None:
    rendered = objects("production")
    for deployment, connection in (("syncline-order-export-odoo-outlet", "odoo-outlet"), ("syncline-inventory-sync-stock-main", "stock-main")):
        pod = dict(pods(rendered))[f"Deployment/{deployment}"]
        done = run(PodFiles(tmp_path / connection, rendered, pod, pem, {}), pod, "--check-config")
        assert f"mappings of {connection}: version " in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("wrong", ["a key", "a type", "a mapping", "a shop"])
def test_what_is_wrong_does_not_pass(wrong: str, tmp_path: Path, pem: tuple[str, str]) -> None:
    """The check above can fail: the same pod with one thing broken ends with exit 2."""
    rendered = objects("production")
    pod = dict(pods(rendered))["Deployment/syncline-" + ("ingress" if wrong == "a shop" else "order-export-odoo-main")]
    files = PodFiles(tmp_path, rendered, pod, pem, {})
    config = files.moved("/etc/syncline/config/config.yaml")
    if wrong in ("a key", "a type"):
        tree = yaml.safe_load(config.read_text())
        tree["target"].update({"batchmax": 5} if wrong == "a key" else {"batch_max": "many"})
        config.write_text(yaml.safe_dump(tree))
    elif wrong == "a mapping":
        files.moved("/etc/syncline/mappings/odoo-main.yaml").write_text("taxis: []\n")
    else:
        files.moved("/etc/syncline/shops/shops.yaml").write_text("shops: {eu: {domain: x.example.com}}\n")
    done = run(files, pod, "--check-config")
    assert done.returncode == 2, done.stdout
    assert {"a key": "target.batchmax", "a type": "target.batch_max", "a mapping": "taxis", "a shop": "eu"}[wrong] in done.stderr


def test_the_migration_hook_brings_an_empty_database_up_to_date(tmp_path: Path, pem: tuple[str, str]) -> None:
    """The Job's own command and files, against a real PostgreSQL; twice, as an upgrade would."""
    server = os.environ.get("SYNCLINE_TEST_POSTGRES_URL")
    if not server:
        pytest.skip("SYNCLINE_TEST_POSTGRES_URL is not set: run tools/dev test chart")
    database = f"chart_{os.getpid()}"
    address = urllib.parse.urlsplit(server)._replace(path=f"/{database}").geturl()
    psql = [str(postgres_bin() / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
    subprocess.run([*psql, server, "-c", f"CREATE DATABASE {database}"], check=True, capture_output=True, text=True)
    try:
        rendered = objects("production")
        pod = dict(pods(rendered))["Job/syncline-order-export-odoo-main-migrate"]
        files = PodFiles(tmp_path, rendered, pod, pem, {})
        files.moved("/run/secrets/syncline/syncline-db-app/uri").write_text(address)
        for _ in range(2):
            done = run(files, pod, "--migrate")
            assert done.returncode == 0, done.stdout + done.stderr
        tables = subprocess.run([*psql, address, "-c", "SELECT count(*) FROM pg_tables WHERE schemaname = 'order_export'"], check=True, capture_output=True, text=True)
        assert int(tables.stdout) > 10
    finally:
        subprocess.run([*psql, server, "-c", f"DROP DATABASE {database}"], capture_output=True)


def test_a_service_without_its_secret_volume_is_told(tmp_path: Path, pem: tuple[str, str]) -> None:
    rendered = objects("production")
    pod = dict(pods(rendered))["Deployment/syncline-order-export-odoo-main"]
    pod = {**pod, "spec": {**pod["spec"], "containers": [dict(pod["spec"]["containers"][0])]}}
    container = pod["spec"]["containers"][0]
    container["volumeMounts"] = [mount for mount in container["volumeMounts"] if not mount["mountPath"].endswith("/odoo-main")]
    assert PodFiles(tmp_path, rendered, pod, pem, {}).missing == ["/run/secrets/syncline/odoo-main/api-key"]
