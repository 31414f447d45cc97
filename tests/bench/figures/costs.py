"""What an order and a stock report cost everywhere: CPU, rows and bytes in PostgreSQL, commits, WAL, bytes in Kafka. tools/capacity.py
reads these tables."""

from __future__ import annotations

import http.client
import json
import os
import time
from pathlib import Path
from typing import Any

from stack.process import StackError, wait_until
from stack.stack import Connection, Stack
from stack.stock import Stock

from . import end_to_end, exported, machine
from .report import Report

TITLE = "Costs of an order and of a stock report, everywhere"
ORDERS_PER_SECOND = 60
SECONDS = int(os.environ.get("SYNCLINE_BENCH_SECONDS", "60"))
ITEMS = 20_000
REPORTS = 3 * ITEMS  # Each item three times, so that rows are made once and changed twice.
REPORTS_A_CALL = 500
SETTLE_SECONDS = 20
IDLE_SECONDS = 15
SERVICES = ("ingress", "order-export", "inventory-sync", "reconciliation", "order-status")
TABLES = """select schemaname || '.' || relname, pg_total_relation_size(relid) from pg_stat_user_tables where schemaname = any ('{order_export,order_status,inventory_sync,reconciliation}')"""


class Meter:
    """What has been used since it was made."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.before = self._now()

    def _now(self) -> dict[str, dict[str, float]]:
        query = self.stack.postgres.query
        sizes = dict(line.split("|") for line in query(TABLES).splitlines())
        rows = {table: query(f"select count(*) from {table}") for table in sizes}
        commits, wal = query("select xact_commit, pg_current_wal_lsn() - '0/0' from pg_stat_database where datname = 'syncline'").split("|")
        folder = self.stack.kafka.folder / "data"
        topics: dict[str, float] = {}
        for partition in folder.glob("syncline.*-*"):
            topic = partition.name.rsplit("-", 1)[0]
            topics[topic] = topics.get(topic, 0) + sum(part.stat().st_size for part in partition.glob("*.log"))
        records = {topic: float(sum(exported.offsets(self.stack.kafka.brokers, topic).values())) for topic in topics}
        return {
            "cpu": {name.split("/")[0]: value for name, value in machine.cpu_seconds(self.stack).items()},
            "size": {table: float(size) for table, size in sizes.items()},
            "rows": {table: float(count) for table, count in rows.items()},
            "database": {"commits": float(commits), "wal": float(wal)},
            "bytes": topics,
            "records": records,
        }

    def used(self) -> dict[str, dict[str, float]]:
        now = self._now()
        return {kind: {name: value - self.before[kind].get(name, 0) for name, value in values.items()} for kind, values in now.items()}


def caught_up(stack: Stack, groups: dict[str, list[str]], seconds: float) -> None:
    """Every group has finished what the topics hold."""
    from confluent_kafka import Consumer, TopicPartition

    for group, topics in groups.items():
        consumer = Consumer({"bootstrap.servers": stack.kafka.brokers, "group.id": group, "enable.auto.commit": False})
        try:
            for topic in topics:

                def lag(topic: str = topic, consumer: Any = consumer) -> int:
                    ends = exported.offsets(stack.kafka.brokers, topic)
                    committed = consumer.committed([TopicPartition(topic, number) for number in ends], timeout=10)
                    return sum(ends[one.partition] - max(one.offset, 0) for one in committed)

                wait_until(lambda lag=lag: lag() == 0, seconds, f"{group} has read {topic}", interval=0.3)
        finally:
            consumer.close()


GROUPS = {
    "order-export.odoo-main.v1": ["syncline.orders.v1"],
    "inventory-sync.stock-main.v1": ["syncline.orders.v1", "syncline.inventory.v1"],
    "reconciliation.main.v1": ["syncline.orders.v1"],
    "order-status.main.v1": ["syncline.exports.v1"],
}


def push(stack: Stack, rounds: int) -> None:
    """Every item's level as a warehouse tells it, `rounds` times."""
    source = stack.stock_sources[0]
    door = http.client.HTTPConnection("127.0.0.1", stack.ingress_port, timeout=60)
    for turn in range(rounds):
        for start in range(1, ITEMS + 1, REPORTS_A_CALL):
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            reports = [
                {"location": "MAIN", "sku": f"SKU-{number:07d}", "quantity": 10 + turn, "observed_at": at} for number in range(start, min(start + REPORTS_A_CALL, ITEMS + 1))
            ]
            door.request("POST", f"/stock/{source.name}", json.dumps({"reports": reports}), {"Content-Type": "application/json", "Authorization": f"Bearer {source.secret}"})
            answer = door.getresponse()
            if answer.status != 202:
                raise StackError(f"ingress answers {answer.status}: {answer.read()!r}")
            answer.read()
        time.sleep(1.1)  # Shopify's times have seconds: a later round is newer.
    door.close()


def tell(report: Report, used: dict[str, dict[str, float]], idle: dict[str, float], seconds: float, count: int, unit: str) -> None:
    # Only the services rest before the load as they would without it: a broker that has just started compiles itself meanwhile.
    cpu = {name: value - (idle.get(name, 0) * seconds if name in SERVICES else 0) for name, value in used["cpu"].items()}
    report.table(["process", f"CPU ms {unit}"], [[name, f"{max(0.0, value) / count * 1e3:.3f}"] for name, value in cpu.items() if not name.startswith("sandbox")])
    report.table(
        ["table", f"rows {unit}", f"bytes {unit}"],
        [
            [name, f"{used['rows'][name] / count:.2f}", f"{size / count:.0f}"]
            for name, size in sorted(used["size"].items(), key=lambda entry: -entry[1])
            if size / count >= 1
        ],
    )
    report.table(
        ["topic", f"records {unit}", f"bytes {unit}", "bytes a record"],
        [
            [name.removeprefix("syncline."), f"{used['records'][name] / count:.2f}", f"{size / count:.0f}", f"{size / max(1.0, used['records'][name]):.0f}"]
            for name, size in sorted(used["bytes"].items())
            if size > 0
        ],
    )
    commits = used["database"]["commits"] - idle["commits"] * seconds
    report.table(["database", unit], [["commits", f"{max(0.0, commits) / count:.2f}"], ["WAL bytes", f"{used['database']['wal'] / count:.0f}"]])


def run(report: Report, folder: Path, build: Path) -> None:
    stock = Stock(items=ITEMS, webhooks=(), reconciliation_settings={"stock": {"nightly_at": "", "changed_every": "0s"}})
    with Stack(folder, build=build, connections=[Connection(latency_ms=50)], log_level="warn", long_lived=True, stock=stock) as stack:
        machine.assert_durable(stack)
        time.sleep(SETTLE_SECONDS)
        meter, began = Meter(stack), time.monotonic()
        time.sleep(IDLE_SECONDS)
        rest, rested = meter.used(), time.monotonic() - began
        idle = {name: value / rested for name, value in rest["cpu"].items()} | {"commits": rest["database"]["commits"] / rested}
        report.say(
            f"One instance of each service, shipped settings. Orders: the real mix of webhooks at {ORDERS_PER_SECOND}/s for {SECONDS} s, sandbox ERP at 50 ms a call; they do not stand in "
            f"the sandbox Shopify, so order-status keeps what it is told and writes nothing there. Reports: {ITEMS:,} items three times, {REPORTS_A_CALL} a call; Shopify is told as fast as its points allow. "
            f"What the services use without work is taken off: {idle['commits']:.1f} commits a second, and CPU of "
            + ", ".join(f"{name} {idle[name] * 1e3:.1f}" for name in SERVICES) + " ms a second."
        )
        orders = ORDERS_PER_SECOND * SECONDS
        words = end_to_end.workload(end_to_end.Load("real mix", ORDERS_PER_SECOND, "real"), "plain=90,guest=5,code_percent=5", ORDERS_PER_SECOND, SECONDS)
        report.note(f"{orders:,} orders")
        meter, began = Meter(stack), time.monotonic()
        end_to_end.send(stack, [*words, *end_to_end.starting_now()[1]])
        caught_up(stack, GROUPS, 300)
        wait_until(lambda: stack.postgres.query("select count(*) from order_export.outbox") == "0", 60, "the outbox is empty")
        report.say("\n### An order\n")
        tell(report, meter.used(), idle, time.monotonic() - began, orders, "an order")
        report.note(f"{REPORTS:,} reports")
        meter, began = Meter(stack), time.monotonic()
        push(stack, REPORTS // ITEMS)
        caught_up(stack, {"inventory-sync.stock-main.v1": ["syncline.inventory.v1"]}, 300)
        wait_until(lambda: stack.postgres.query("select count(*) from inventory_sync.dirty") == "0", 300, "every target is computed", interval=0.5)
        report.say("\n### A stock report\n")
        tell(report, meter.used(), idle, time.monotonic() - began, REPORTS, "a report")
