"""Records a second from Kafka into one table by on_batch, with a backlog."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
import urllib.request
from pathlib import Path

from stack.kafka import Kafka
from stack.postgres import Postgres
from stack.process import Process, StackError, free_port

from .report import Report

TITLE = "Records in batches into PostgreSQL"
RECORDS = int(1_000_000 * float(os.environ.get("SYNCLINE_BENCH_SCALE", "1")))
ROUNDS = 3
LIMIT_SECONDS = 300


def handled(admin: str) -> float:
    """Records the service has settled; 0 while it does not answer."""
    try:
        with urllib.request.urlopen(f"http://{admin}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return 0
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("syncline_events_total{"))


def one_round(folder: Path, build: Path) -> tuple[float, float, float]:
    """Seconds from the first settled records to the last, how many were settled in that time, and the CPU seconds of the service in it."""
    kafka = Kafka(folder / "kafka")
    postgres = Postgres(folder / "postgres")
    admin = f"127.0.0.1:{free_port()}"
    config = folder / "service.yaml"
    service = Process("bench-batch", [str(build / "bin/bench_batch"), "--config", str(config)], folder / "service.log")
    try:
        kafka.start()
        postgres.start()
        kafka.wait_ready()
        postgres.wait_ready()
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            if postgres.query(f"show {setting}") != "on":
                raise StackError(f"PostgreSQL runs without {setting}; figures without it mean nothing")
        kafka.create_topics()
        config.write_text(json.dumps({"kafka": {"brokers": kafka.brokers}, "postgres": {"url": postgres.url}, "admin": {"listen": admin}}))
        sent = subprocess.run([str(build / "bin/bench_batch_load"), kafka.brokers, str(RECORDS)], capture_output=True, text=True)
        if sent.returncode != 0:
            raise StackError(f"sending failed: {sent.stdout}{sent.stderr}")
        service.start()
        began, before = 0.0, 0.0
        limit = time.monotonic() + LIMIT_SECONDS
        while True:
            now, done = time.monotonic(), handled(admin)
            if began == 0.0 and done > 0:
                began, before, cpu = now, done, service.cpu_seconds()
            if done >= RECORDS:
                break
            if not service.running() or now > limit:
                raise StackError(f"the service settled {done:.0f} of {RECORDS}:\n{service.tail()}")
            time.sleep(0.05)
        seconds = now - began
        used = service.cpu_seconds() - cpu
        rows = int(postgres.query('select count(*) from bench_batch.levels'))
        if rows != RECORDS:
            raise StackError(f"{rows} rows of {RECORDS}")
        return seconds, RECORDS - before, used
    finally:
        for process in (service, postgres.process, kafka.process):
            process.stop()


def run(report: Report, folder: Path, build: Path) -> None:
    rates, costs = [], []
    for number in range(ROUNDS):
        place = folder / str(number)
        place.mkdir()
        place.chmod(0o755)
        seconds, records, cpu = one_round(place, build)
        rates.append(records / seconds)
        costs.append(cpu / records * 1e6)
        report.note(f"round {number + 1}: {rates[-1]:.0f} records/s")
    report.say(f"{RECORDS} stock reports of as many SKUs wait in 12 partitions; one statement a batch writes them; {ROUNDS} rounds, each with a new Kafka and PostgreSQL.")
    report.table(["", "records/s (median)", "worst", "service µs of CPU a record"], [["on_batch", f"{statistics.median(rates):.0f}", f"{min(rates):.0f}", f"{statistics.median(costs):.1f}"]])
    report.aim(f"≥ 50,000 records/s ({statistics.median(rates):.0f})", statistics.median(rates) >= 50_000)
