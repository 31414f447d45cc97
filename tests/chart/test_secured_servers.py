"""Servers as in production: the services come in as the KafkaUsers of the chart, with those ACLs alone, and as the owner of a database."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import confluent_kafka
import pytest
import yaml
from chart import BIN, Object, objects, of_kind, one
from secured import Authority, SecuredKafka, SecuredPostgres
from stack import Connection, Stack, wait_until
from support.flow import Flow
from support.mapping import mapping_text

# librdkafka before 2.6.1 cannot log in by SCRAM at brokers of version 4 (LIBRARY-FAULTS #4895); the images have a later one.
SCRAM = confluent_kafka.libversion()[1] >= 0x020601FF
MECHANISM = "SCRAM-SHA-512" if SCRAM else "PLAIN"
RENDERED = {"fullnameOverride": "sync", "kafka": {"topicPrefix": "syncline"}}


@pytest.fixture(scope="module")
def rendered() -> list[Object]:
    return objects("everything", values=RENDERED)


class Secured:
    """The stack, its secured servers, and what a user of them needs."""

    def __init__(self, folder: Path, rendered: list[Object]) -> None:
        self.authority = Authority(folder / "authority")
        wanted = ("sync-ingress", "sync-order-export-odoo-main", "sync-operator")
        self.kafka = SecuredKafka(folder / "kafka", self.authority, [one(rendered, "KafkaUser", name) for name in wanted])
        self.postgres = SecuredPostgres(folder / "postgres", self.authority)
        self.folder = folder
        self.database_url = self.authority.folder / "database-url"
        self.database_url.write_text(self.postgres.secured_url + "\n")
        export = {"kafka": self.broker_settings("sync-order-export-odoo-main"), "postgres": {"url_file": str(self.database_url)}}
        self.stack = Stack(
            folder,
            connections=[Connection(mapping=mapping_text(), settings=export)],
            ingress_settings={"kafka": self.broker_settings("sync-ingress")},
        )
        self.stack.kafka = self.kafka
        self.stack.postgres = self.postgres

    def broker_settings(self, user: str) -> Object:
        password = self.authority.folder / user
        password.write_text(self.kafka.passwords[user] + "\n")
        security = {"protocol": "sasl_tls", "mechanism": MECHANISM.lower().replace("-", "_"), "ca_file": str(self.authority.ca), "username": user}
        return {"brokers": self.kafka.secured_brokers, "security": {**security, "password_file": str(password)}}


@pytest.fixture(scope="module")
def secured(rendered) -> Iterator[Secured]:
    folder = Path(tempfile.mkdtemp(prefix="syncline-secured-"))
    folder.chmod(0o755)
    try:
        found = Secured(folder, rendered)
        with found.stack:
            yield found
    finally:
        if not os.environ.get("SYNCLINE_KEEP"):
            shutil.rmtree(folder, ignore_errors=True)


def test_an_order_goes_all_the_way(secured):
    flow = Flow(secured.stack)
    orders = [flow.order(shop) for shop in ("eu", "us")]
    for order in orders:
        flow.place(order)
    flow.exported(*orders)
    flow.drained()
    assert flow.export.metric("syncline_outbox_sent_total") >= len(orders)
    assert secured.stack.postgres.query("select distinct usename || ' ' || ssl from pg_stat_ssl join pg_stat_activity using (pid) where usename = 'app'") == "app true"


def test_who_is_nobody_gets_nothing(secured):
    """The test above would say nothing if the servers let anybody in."""
    kcat = ["kcat", "-b", secured.kafka.secured_brokers, "-X", f"ssl.ca.location={secured.authority.ca}", "-L", "-m", "5"]
    assert subprocess.run([*kcat, "-X", "security.protocol=ssl"], capture_output=True, timeout=30).returncode != 0
    sasl = ["-X", "security.protocol=sasl_ssl", "-X", f"sasl.mechanism={MECHANISM}", "-X", "sasl.username=sync-operator"]
    assert subprocess.run([*kcat, *sasl, "-X", "sasl.password=wrong"], capture_output=True, timeout=30).returncode != 0
    known = subprocess.run([*kcat, *sasl, "-X", f"sasl.password={secured.kafka.passwords['sync-operator']}"], capture_output=True, text=True, timeout=30)
    assert known.returncode == 0 and 'topic "syncline.orders.v1"' in known.stdout
    plain = re.sub("verify-full", "disable", secured.postgres.secured_url)
    assert "no pg_hba.conf entry" in subprocess.run(["psql", plain, "-c", "select 1"], capture_output=True, text=True, timeout=30).stderr


def test_an_operator_sees_that_all_is_well(secured, rendered):
    """synclinectl with the chart's own file of targets; only addresses and paths are this machine's."""
    targets = next(yaml.safe_load(found["data"]["targets.yaml"]) for found in of_kind(rendered, "ConfigMap") if "targets.yaml" in found.get("data", {}))
    password = secured.folder / "operator-password"
    password.write_text(secured.kafka.passwords[targets["kafka"]["properties"]["sasl.username"]])
    targets["kafka"].update(brokers=secured.kafka.secured_brokers, password_file=str(password))
    targets["kafka"]["properties"].update({"ssl.ca.location": str(secured.authority.ca), "sasl.mechanism": MECHANISM})
    targets.update(token_file=str(secured.folder / "secrets/admin-token"), services=yaml.safe_load(secured.stack.targets_file.read_text())["services"])
    path = secured.folder / "operator-targets.yaml"
    path.write_text(yaml.safe_dump(targets))
    done = subprocess.run([str(BIN / "synclinectl"), "--targets", str(path), "doctor"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@contextlib.contextmanager
def started(secured: Secured, binary: str, settings: Object) -> Iterator[tuple[subprocess.Popen, Path]]:
    """One more process with settings that are not right."""
    name = f"{binary}-{uuid.uuid4()}"
    config, log = secured.folder / f"{name}.yaml", secured.folder / f"{name}.log"
    config.write_text(yaml.safe_dump(settings))
    with log.open("w") as out, subprocess.Popen([str(BIN / binary), "--config", str(config)], stdout=out, stderr=out) as process:
        try:
            yield process, log
        finally:
            process.kill()


def settings_of(secured: Secured, name: str) -> Object:
    settings = yaml.safe_load((secured.folder / "config" / name).read_text())
    settings["admin"]["listen"] = "127.0.0.1:0"
    if "listen" in settings:
        settings["listen"] = "127.0.0.1:0"
    return settings


@pytest.mark.parametrize(
    ("member", "value", "cause"),
    [("password_file", "wrong", "uthentication"), ("ca_file", "other-ca", "certificate"), ("username", "sync-nobody", "uthentication")],
)
def test_brokers_that_refuse_are_named(secured, member, value, cause):
    (secured.folder / "wrong").write_text("not the password\n")
    if value == "other-ca":
        Authority(secured.folder / "other")
    settings = settings_of(secured, "ingress.yaml")
    settings["kafka"]["security"][member] = {"wrong": str(secured.folder / "wrong"), "other-ca": str(secured.folder / "other/ca.pem")}.get(value, value)
    with started(secured, "ingress", settings) as (_, log):
        wait_until(lambda: cause in log.read_text(), 20, f"the log names the cause: {cause} ({log})")
        assert "not the password" not in log.read_text()


@pytest.mark.skipif(SCRAM, reason="this librdkafka can")
def test_scram_that_cannot_work_says_what_can(secured):
    settings = settings_of(secured, "ingress.yaml")
    settings["kafka"]["security"]["mechanism"] = "scram_sha_512"
    with started(secured, "ingress", settings) as (_, log):
        wait_until(lambda: "2.6.1 or later" in log.read_text(), 20, f"the log names the cure ({log})")


def test_a_database_that_refuses_is_named(secured):
    settings = settings_of(secured, "order-export-odoo-main-0.yaml")
    wrong = secured.folder / "wrong-url"
    wrong.write_text(secured.postgres.secured_url.replace(secured.postgres.password, "not-the-password"))
    settings["postgres"]["url_file"] = str(wrong)
    with started(secured, "order-export", settings) as (_, log):
        wait_until(lambda: "user, password or rights refused" in log.read_text(), 20, f"the log names the cause ({log})")
        assert "not-the-password" not in log.read_text()
