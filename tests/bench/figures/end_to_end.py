"""Webhook → acknowledgement of the ERP, with the sandbox ERP at 50 ms a call."""

from __future__ import annotations

import datetime
import json
import os
import resource
import statistics
import subprocess
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from stack.process import StackError, wait_until
from stack.stack import Connection, Stack

from . import exported, machine
from .documents import compare, erp
from .report import Report

TITLE = "End to end: webhook → ERP acknowledgement, sandbox ERP at 50 ms a call"
SECONDS = int(os.environ.get("SYNCLINE_BENCH_SECONDS", "300"))
RATE = float(os.environ.get("SYNCLINE_BENCH_RATE", "1"))  # A share of the rates that are asked for.
ERP_LATENCY_MS = 50
CUSTOMERS = 25_000  # Of each of the two shops.
WARM_UP_SECONDS = 30  # At a third of the rate, not counted: connections and caches fill, Kafka and the sandbox are compiled.
WARM_UP_FIRST_ORDER = 50_000_000  # Ids far from those that are measured.
SKIPPED_SECONDS = 10  # Of what is measured.


@dataclass
class Load:
    name: str
    orders_per_second: int
    mix: str


LOADS = [Load("one webhook an order", round(667 * RATE), "single"), Load("real mix", round(250 * RATE), "real")]


@dataclass
class Sampler:
    """Memory of each process once a second, from another thread."""

    stack: Stack
    samples: dict[str, list[float]] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Sampler:
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.thread.join()

    def _run(self) -> None:
        while not self.stopped.wait(1):
            for service in self.stack.services.values():
                try:
                    self.samples.setdefault(service.name, []).append(service.process.memory_pss() / (1 << 20))
                except OSError:
                    continue

    def early_and_late(self, name: str) -> tuple[float, float]:
        """Medians of the second fifth and the last fifth of the run."""
        values = self.samples.get(name, [0.0])
        fifth = max(1, len(values) // 5)
        return statistics.median(values[fifth : 2 * fifth] or values), statistics.median(values[-fifth:])


def workload(load: Load, kinds: str, rate: int, seconds: int, first: int = 0) -> list[str]:
    words = ["--orders", str(rate * seconds), "--rate", str(rate), "--first-order", str(first), "--mix", load.mix]
    return [*words, "--kinds", kinds, "--customers", str(CUSTOMERS), "--seed", "7"]


def send(stack: Stack, words: list[str]) -> str:
    secrets = [word for shop in stack.shops for word in ("--secret", f"{shop.alias}={stack.folder / 'secrets' / f'shopify-{shop.alias}'}")]
    sent = subprocess.run([str(stack.bin / "loadgen"), "send", "--ingress", stack.ingress_url, *secrets, *words], capture_output=True, text=True)
    if sent.returncode != 0:
        raise StackError(f"the sender failed: {sent.stdout[-500:]} {sent.stderr[-500:]}")
    return sent.stdout.splitlines()[-1]


def expectations(stack: Stack, words: list[str]) -> list[str]:
    return subprocess.run([str(stack.bin / "loadgen"), "expect", *words], capture_output=True, text=True, check=True).stdout.splitlines()


def starting_now() -> tuple[datetime.datetime, list[str]]:
    start = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=1)
    return start, ["--start", start.isoformat().replace("+00:00", "Z")]


def lag(stack: Stack, topic: str = "syncline.orders.v1") -> int:
    """Records published and not yet committed by the group."""
    from confluent_kafka import Consumer, TopicPartition

    ends = exported.offsets(stack.kafka.brokers, topic)
    consumer = Consumer({"bootstrap.servers": stack.kafka.brokers, "group.id": "order-export.odoo-main.v1", "enable.auto.commit": False})
    try:
        committed = consumer.committed([TopicPartition(topic, partition) for partition in ends], timeout=10)
        return sum(ends[one.partition] - max(one.offset, 0) for one in committed)
    finally:
        consumer.close()


def run(report: Report, folder: Path, build: Path) -> None:
    report.say(
        f"{SECONDS} s each, two shops, {2 * CUSTOMERS:,} customers, one instance of each service, shipped settings; the sender is open-loop and a "
        "latency counts from the moment the webhook was due to the moment the ERP's answer was acknowledged (ce_time of the published result). "
        f"{WARM_UP_SECONDS} s at a third of the rate come first and are not counted."
    )
    for load in LOADS:
        with Stack(folder / load.mix, build=build, connections=[Connection(latency_ms=ERP_LATENCY_MS)], log_level="warn", long_lived=True) as stack:
            machine.assert_durable(stack)
            _run_load(report, stack, load)


def _run_load(report: Report, stack: Stack, load: Load) -> None:
    kinds = "plain" if load.mix == "single" else "plain=90,guest=5,code_percent=5"
    warm_up = [*workload(load, kinds, load.orders_per_second // 3, WARM_UP_SECONDS, WARM_UP_FIRST_ORDER), *starting_now()[1]]
    send(stack, warm_up)
    wait_until(lambda: lag(stack) == 0, 120, "order-export has finished the warm-up", interval=0.2)
    start, start_words = starting_now()
    words = [*workload(load, kinds, load.orders_per_second, SECONDS), *start_words]
    report.note(f"{load.name}: {load.orders_per_second} orders/s for {SECONDS} s")
    before = exported.offsets(stack.kafka.brokers)
    erp(stack.odoo_url(), "counters", "DELETE")
    cpu = machine.cpu_seconds(stack)
    sender_cpu = resource.getrusage(resource.RUSAGE_CHILDREN)
    with Sampler(stack) as sampler:
        time.sleep(max(0.0, (start - datetime.datetime.now(datetime.UTC)).total_seconds()))
        delivery = json.loads(send(stack, words))
        ended = time.monotonic()
        backlog = lag(stack)
        _drain(stack, report)
        drained = time.monotonic() - ended
    used = {name: value - cpu[name] for name, value in machine.cpu_seconds(stack).items()}
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    used["sender"] = now.ru_utime + now.ru_stime - sender_cpu.ru_utime - sender_cpu.ru_stime
    wait_until(lambda: stack.postgres.query("select count(*) from order_export.outbox") == "0", 30, "the outbox is empty")

    from_ns = int(start.timestamp() * 1e9) + SKIPPED_SECONDS * exported.NANOS
    found = [one for one in exported.results(stack.kafka.brokers, before)]
    latencies = sorted((one.at_ns - one.observed_ns) / 1e6 for one in found if one.type == "OrderExported" and one.observed_ns >= from_ns)
    _check_nothing_waits(stack)
    fates = compare(stack.odoo_url(), [*expectations(stack, words), *expectations(stack, warm_up)])
    _check_leftovers(stack, fates)

    orders = load.orders_per_second * SECONDS
    calls = erp(stack.odoo_url(), "counters")["calls"]
    report.say(f"\n### {load.name}: {load.orders_per_second} orders/s\n")
    report.say(
        f"{orders:,} orders, {delivery['acknowledged']:,} webhooks acknowledged, {len(found):,} results; every order compared with its document. "
        f"Backlog when the sender ended: {backlog} records, gone after {drained:.1f} s."
    )
    p50, p99, p999 = (exported.quantile(latencies, share) for share in (0.5, 0.99, 0.999))
    report.table(["webhook → ERP", "p50 ms", "p99 ms", "p99.9 ms", "max ms"], [["", f"{p50:.0f}", f"{p99:.0f}", f"{p999:.0f}", f"{latencies[-1]:.0f}"]])
    report.table(
        ["call", "calls", "records", "calls an order", "records a call"],
        [
            [name, f"{one['calls']:,}", f"{one['records']:,}", f"{one['calls'] / orders:.3f}", f"{one['records'] / max(1, one['calls']):.1f}"]
            for name, one in calls.items()
        ],
    )
    report.table(["process", "CPU s", "CPU ms an order"], [[name, f"{value:.1f}", f"{value / orders * 1e3:.3f}"] for name, value in used.items()])
    memory = {service.name: sampler.early_and_late(service.name) for service in stack.services.values()}
    report.table(["memory", "PSS MiB, second fifth", "PSS MiB, last fifth"], [[name, f"{early:.1f}", f"{late:.1f}"] for name, (early, late) in memory.items()])
    report.aim(f"p99 < 1 s ({p99:.0f} ms)", p99 < 1000)
    report.aim("memory flat (last fifth ≤ 1.1 times the second + 4 MiB)", all(late <= early * 1.1 + 4 for early, late in memory.values()))
    report.aim(f"no backlog left at the end (gone {drained:.1f} s after the last webhook)", drained < 5)


def _drain(stack: Stack, report: Report) -> None:
    """Waits as long as the backlog gets smaller: a rate that is too high is a figure as well."""
    left = lag(stack)
    while left:
        report.note(f"backlog of {left:,} records")
        before = left
        for _ in range(300):
            time.sleep(0.2)
            left = lag(stack)
            if left == 0:
                return
        if left >= before:
            raise StackError(f"order-export stands still: {left} records left, {before} a minute ago")


def _check_nothing_waits(stack: Stack) -> None:
    """An order that is to be tried again has no document yet; said first, for it is the reason."""
    waiting = stack.postgres.query("select key || ': ' || code || ', ' || attempts || ' attempts' from order_export.parked_events where state <> 'held' limit 5")
    if waiting:
        raise StackError(f"parked at the end, no figure: {'; '.join(waiting.splitlines())}")


def _check_leftovers(stack: Stack, fates: Counter[str]) -> None:
    held = sum(count for fate, count in fates.items() if fate.startswith("held"))
    for table, condition, wanted in (("parked_events", "state = 'held'", held), ("dead_letters", "state = 'dead'", 0)):
        count = int(stack.postgres.query(f"select count(*) from order_export.{table} where {condition}"))
        if count != wanted:
            raise StackError(f"{count} rows of {table} where {condition} at the end instead of {wanted}: no figure")
