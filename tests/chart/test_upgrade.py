"""docs/operating/upgrade.md: an older database and an older chart's values are brought up to date, a newer database is left alone."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest
import yaml
from chart import CHART, HELM, MINORS, Object, objects, of_kind, pods
from database import Database
from pod_files import EXISTING, PodFiles, run, start_of

OLDER = Path(__file__).parent / "older"
FIRST = ("kit_0001_processing", "0001_export_ledger")
EXPORT = "syncline-order-export-odoo-main"
OLD_VALUES = sorted(OLDER.glob("*/*-values.yaml"))


def files_of(owner: str, folder: Path, pem: tuple[str, str], database: Database, value_set: str = "production") -> tuple[PodFiles, Object]:
    rendered = objects(value_set)
    pod = dict(pods(rendered))[owner]
    files = PodFiles(folder, rendered, pod, pem, EXISTING)
    files.use_database(database.url)
    return files, pod


def test_a_database_of_the_first_schema_is_brought_up_to_date_and_keeps_its_rows(tmp_path: Path, pem: tuple[str, str], database: Database) -> None:
    script = "CREATE SCHEMA order_export; SET search_path = order_export;"
    script += "CREATE TABLE schema_migrations (name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());"
    for name in FIRST:
        text = (OLDER / f"database/{name}.sql").read_text()
        script += text + f"INSERT INTO schema_migrations (name, sha256) VALUES ('{name}', '{hashlib.sha256(text.encode()).hexdigest()}');"
    database.query(script)
    database.query(
        "INSERT INTO order_export.export_orders VALUES ('odoo-main', 'eu', 1001, 'confirmed', '', 1, 1, false, '77', 'S00077', 'h', 'h', '[]',"
        " 0, 119.00, 'EUR', true, 'main', '#1001', 'paid', 1, 1, false, 'v', now())"
    )
    files, pod = files_of(f"Job/{EXPORT}-migrate", tmp_path, pem, database)
    done = run(files, pod, "--migrate")
    assert done.returncode == 0, done.stdout + done.stderr
    known = json.loads(run(files, pod, "--describe").stdout)["state"]["migrations"]
    assert set(FIRST) < set(known)
    assert sorted(database.query("SELECT name FROM order_export.schema_migrations").splitlines()) == sorted(known)
    assert database.query("SELECT document_name, expected_total FROM order_export.export_orders") == "S00077|119.00"


@pytest.mark.parametrize(("value_set", "owner"), [("production", f"Job/{EXPORT}-migrate"), ("production", f"Deployment/{EXPORT}"), ("argocd", f"Deployment/{EXPORT}")])
def test_a_newer_database_stops_an_older_program_that_starts(owner: str, value_set: str, tmp_path: Path, pem: tuple[str, str], database: Database) -> None:
    """The Job and the pod, with hooks and without: the message names what it does not know and what to do, and nothing is changed."""
    files, pod = files_of(f"Deployment/{EXPORT}" if value_set == "argocd" else f"Job/{EXPORT}-migrate", tmp_path / "first", pem, database, value_set)
    assert run(files, pod, "--migrate").returncode == 0
    database.query("INSERT INTO order_export.schema_migrations (name, sha256) VALUES ('0099_of_the_future', 'f00d')")
    before = database.query("SELECT count(*) FROM order_export.schema_migrations")
    files, pod = files_of(owner, tmp_path / "second", pem, database, value_set)
    done = run(files, pod, *(["--migrate"] if owner.startswith("Job") else []))
    assert done.returncode == 2, done.stdout + done.stderr
    told = done.stdout + done.stderr
    for part in ("order_export is newer than this program", "0099_of_the_future", "restore the backup", "deploy the program that has this migration"):
        assert part in told, told
    assert database.query("SELECT count(*) FROM order_export.schema_migrations") == before


def test_a_rollback_meets_the_database_before_it_touches_a_pod() -> None:
    for job in of_kind(objects("production"), "Job"):
        assert "pre-rollback" in job["metadata"]["annotations"]["helm.sh/hook"].split(",")


def rendered_with(values: Path) -> list[Object]:
    command = [str(HELM), "template", "syncline", str(CHART), "--namespace", "shop", "--kube-version", MINORS[-1], "--values", str(values)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{values}: {done.stderr}"
    return [found for found in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if found]


@pytest.mark.parametrize("values", OLD_VALUES, ids=lambda path: f"{path.parent.name}-{path.name.removesuffix('-values.yaml')}")
def test_values_of_an_older_chart_go_on(values: Path, tmp_path: Path, pem: tuple[str, str]) -> None:
    """They render, each service takes what becomes of them, and what must never change has not."""
    rendered = rendered_with(values)
    for owner, pod in pods(rendered):
        if "synclinectl" in pod["spec"]["containers"][0]["name"]:
            continue
        files = PodFiles(tmp_path / owner.replace("/", "-"), rendered, pod, pem, EXISTING)
        done = run(files, pod, "--check-config")
        assert done.returncode == 0, f"{owner}: {done.stderr}{done.stdout}"
    before = yaml.safe_load(values.with_name(values.name.replace("-values", "-identities")).read_text())
    now = identities(rendered)
    assert {name: now.get(name) for name in before} == before, "a newer chart may add deployments, never rename one"


def identities(rendered: list[Object]) -> Object:
    """Selectors cannot be changed in a cluster; consumer groups and what is stored are made of the rest."""
    found = {}
    for deployment in of_kind(rendered, "Deployment"):
        name = deployment["metadata"]["name"]
        config = next(yaml.safe_load(each["data"]["config.yaml"]) for each in of_kind(rendered, "ConfigMap") if each["metadata"]["name"] == f"{name}-config")
        kept = {key: config[key] for key in ("connection", "name") if key in config}
        found[name] = {"selector": deployment["spec"]["selector"]["matchLabels"], "topic_prefix": config["kafka"].get("topic_prefix", "syncline"), **kept}
    return found


def test_there_are_older_values() -> None:
    assert {path.parent.name for path in OLD_VALUES} >= {"0.1.0"}


def test_the_start_of_a_pod_is_its_own(tmp_path: Path, pem: tuple[str, str], database: Database) -> None:
    """What the tests above run is the rendered command, not one of theirs."""
    files, pod = files_of(f"Job/{EXPORT}-migrate", tmp_path, pem, database)
    command, _ = start_of(files, pod, "--migrate")
    assert [Path(command[0]).name, command[1], command[-1]] == ["order-export", "--config", "--migrate"]
