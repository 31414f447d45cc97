"""What the chart hands to each container is judged by the real binary: a key, a type or a path that is wrong ends with exit 2."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from chart import VALUE_SETS, objects, pods
from database import Database
from pod_files import EXISTING, PodFiles, run

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


def test_the_migration_hook_brings_an_empty_database_up_to_date(tmp_path: Path, pem: tuple[str, str], database: Database) -> None:
    """The Job's own command and files, against a real PostgreSQL; twice, as an upgrade would."""
    rendered = objects("production")
    pod = dict(pods(rendered))["Job/syncline-order-export-odoo-main-migrate"]
    files = PodFiles(tmp_path, rendered, pod, pem, {})
    files.use_database(database.url)
    for _ in range(2):
        done = run(files, pod, "--migrate")
        assert done.returncode == 0, done.stdout + done.stderr
    assert int(database.query("SELECT count(*) FROM pg_tables WHERE schemaname = 'order_export'")) > 10


def test_a_service_without_its_secret_volume_is_told(tmp_path: Path, pem: tuple[str, str]) -> None:
    rendered = objects("production")
    pod = dict(pods(rendered))["Deployment/syncline-order-export-odoo-main"]
    pod = {**pod, "spec": {**pod["spec"], "containers": [dict(pod["spec"]["containers"][0])]}}
    container = pod["spec"]["containers"][0]
    container["volumeMounts"] = [mount for mount in container["volumeMounts"] if not mount["mountPath"].endswith("/odoo-main")]
    assert PodFiles(tmp_path, rendered, pod, pem, {}).missing == ["/run/secrets/syncline/odoo-main/api-key"]
