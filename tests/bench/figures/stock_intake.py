"""Stock reports a second from Kafka into the durable state of inventory-sync, with a backlog."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import yaml
from stack.kafka import Kafka
from stack.postgres import Postgres
from stack.process import Process, StackError, free_port, wait_until

from .batches import handled
from .machine import postgres_cpu_of
from .report import Report

TITLE = "Stock reports into durable state"
REPORTS = int(1_000_000 * float(os.environ.get("SYNCLINE_BENCH_SCALE", "1")))
ROUNDS = 3
LIMIT_SECONDS = 600
LOCATION = 71
PASSES = {1: "first heard of", 2: "known, other values"}


def configure(folder: Path, kafka: Kafka, postgres_url: str, name: str = "bench") -> tuple[Path, str]:
    """One shop that nobody answers for: what is measured ends in PostgreSQL."""
    admin = f"127.0.0.1:{free_port()}"
    (folder / "secret").write_text("bench\n")
    shop = {"domain": "bench.myshopify.com", "app": "bench", "currency": "EUR", "timezone": "Europe/Paris"}
    shop["admin"] = {"url": f"http://127.0.0.1:{free_port()}", "token_file": str(folder / "secret")}
    (folder / "shops.yaml").write_text(yaml.safe_dump({"apps": {"bench": {"secret_files": [str(folder / "secret")]}}, "shops": {"eu": shop}}))
    (folder / "mappings").mkdir()
    feeds = [{"source": "wms-north", "location": "main"}]
    mapping = {"sources": {"wms-north": {"basis": "physical"}}, "shops": {"eu": {"locations": [{"id": LOCATION, "from": feeds}]}}}
    (folder / "mappings" / f"{name}.yaml").write_text(yaml.safe_dump(mapping))
    settings = {
        "name": name,
        "kafka": {"brokers": kafka.brokers},
        "postgres": {"url": postgres_url},
        "admin": {"listen": admin},
        "shops_file": str(folder / "shops.yaml"),
        "mappings_dir": str(folder / "mappings"),
    }
    config = folder / "inventory-sync.yaml"
    config.write_text(json.dumps(settings))
    return config, admin


def know_items(query: Callable[[str], str], items: int) -> None:
    """The shop's items are known, so that each report leads to a pair."""
    wait_until(lambda: query("select to_regclass('inventory_sync.items') is not null") == "t", 30, "the tables are there", interval=0.2)
    query(f"insert into inventory_sync.items select 'eu', n + 1, 'SKU-' || lpad((n + 1)::text, 9, '0'), true, false, 1 from generate_series(0, {items - 1}) n")


def load(build: Path, kafka: Kafka, number: int) -> None:
    sent = subprocess.run([str(build / "bin/bench_batch_load"), kafka.brokers, str(REPORTS), str(number)], capture_output=True, text=True)
    if sent.returncode != 0:
        raise StackError(f"sending failed: {sent.stdout}{sent.stderr}")


def backlog(service: Process, postgres: Postgres, admin: str, until: int) -> tuple[float, float, float]:
    """Reports a second from the first that were settled to the last, and µs of CPU a report: of the service, of PostgreSQL."""
    begin = until - REPORTS
    first: tuple[float, float, float, float] | None = None
    limit = time.monotonic() + LIMIT_SECONDS
    while True:
        now, done = time.monotonic(), handled(admin)
        if first is None and done > begin:
            first = (now, done, service.cpu_seconds(), postgres_cpu_of(postgres))
        if done >= until:
            break
        if not service.running() or now > limit:
            raise StackError(f"the service settled {done:.0f} of {until}:\n{service.tail()}")
        time.sleep(0.05)
    reports = until - first[1]
    used = (service.cpu_seconds() - first[2], postgres_cpu_of(postgres) - first[3])
    return reports / (now - first[0]), used[0] / reports * 1e6, used[1] / reports * 1e6


def computed(postgres: Postgres, report: Report) -> None:
    began = time.monotonic()
    wait_until(lambda: postgres.query("select count(*) from inventory_sync.dirty") == "0", LIMIT_SECONDS, "all is computed", interval=0.5)
    report.note(f"all {REPORTS} pairs computed {time.monotonic() - began:.0f} s later")
    pairs = postgres.query("select count(*) from inventory_sync.pairs")
    if pairs != str(REPORTS):
        raise StackError(f"{pairs} pairs instead of {REPORTS}")


def one_round(folder: Path, build: Path, report: Report, *, last: bool) -> dict[int, tuple[float, float, float]]:
    """Of each pass what backlog() says. In the last round it is also seen that what was marked is computed."""
    kafka = Kafka(folder / "kafka")
    postgres = Postgres(folder / "postgres")
    results = {}
    service: Process | None = None
    try:
        kafka.start()
        postgres.start()
        kafka.wait_ready()
        postgres.wait_ready()
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            if postgres.query(f"show {setting}") != "on":
                raise StackError(f"PostgreSQL runs without {setting}; figures without it mean nothing")
        kafka.create_topics()
        config, admin = configure(folder, kafka, postgres.url)
        service = Process("inventory-sync", [str(build / "bin/inventory-sync"), "--config", str(config)], folder / "service.log")
        service.start()
        know_items(postgres.query, REPORTS)
        service.stop()
        for number, name in PASSES.items():
            load(build, kafka, number)
            postgres.query("vacuum analyze")  # As autovacuum would have by then; no pass pays for what another left.
            service.start()
            # The counts of a process begin with it.
            results[number] = backlog(service, postgres, admin, REPORTS)
            report.note(f"{name}: {results[number][0]:.0f} reports/s")
            told = f"count(*) filter (where observed_ns = {1_760_000_000 + 10 * number}000000000)"
            rows = postgres.query(f"select count(*), {told} from inventory_sync.positions")
            if rows != f"{REPORTS}|{REPORTS}":
                raise StackError(f"positions {rows} instead of {REPORTS}")
            if last and number == max(PASSES):
                computed(postgres, report)
            service.stop()
            if service.exit_code() != 0:
                raise StackError(f"the service ended with {service.exit_code()}:\n{service.tail()}")
        return results
    finally:
        for process in (service, postgres.process, kafka.process):
            if process is not None and process.child is not None:
                process.stop()


def run(report: Report, folder: Path, build: Path) -> None:
    rounds = []
    for number in range(ROUNDS):
        place = folder / str(number)
        place.mkdir()
        place.chmod(0o755)
        rounds.append(one_round(place, build, report, last=number == ROUNDS - 1))
    report.say(
        f"{REPORTS} reports of as many SKUs wait in 12 partitions, in random order; inventory-sync writes positions and marks what is to be computed; "
        f"{ROUNDS} rounds, each with a new Kafka and PostgreSQL."
    )
    rows = []
    for number, name in PASSES.items():
        rates, service, postgres = zip(*(one[number] for one in rounds), strict=True)
        rows.append([name, f"{statistics.median(rates):.0f}", f"{min(rates):.0f}", f"{statistics.median(service):.1f}", f"{statistics.median(postgres):.1f}"])
    report.table(["positions", "reports/s (median)", "worst", "service µs of CPU a report", "PostgreSQL µs"], rows)
    slowest = min(statistics.median(one[number][0] for one in rounds) for number in PASSES)
    report.aim(f"≥ 50,000 reports/s in both cases ({slowest:.0f})", slowest >= 50_000)
