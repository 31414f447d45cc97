"""The same reports handled by one instance of inventory-sync, and by two of which the second joins and the first dies on the way."""

from __future__ import annotations

import os
import subprocess
import time
from itertools import zip_longest
from pathlib import Path

from stack.kafka import Kafka
from stack.postgres import Postgres
from stack.process import Process, StackError, wait_until

from .report import Report
from .stock_intake import configure, know_items

TITLE = "Two instances of inventory-sync against one"
SKUS = int(1_000_000 * float(os.environ.get("SYNCLINE_BENCH_SCALE", "1")))
LIMIT_SECONDS = 1800
LAST_PASS = 2
TABLES = {
    "positions": "select sku, source, location, basis, unit, level, observed_ns, epoch, sequence, adjusted from inventory_sync.positions order by 1, 2, 3",
    "adjustments": "select sku, source, location, epoch, id, delta, observed_ns from inventory_sync.adjustments order by 1, 2, 3, 4, 5",
    "pairs": "select shop, item_id, location_id, sku, basis, target, sellable, unsent, believed, look, pending from inventory_sync.pairs order by 1, 2, 3",
}


class Deployment:
    """Instances with a database and a consumer group of their own, which read the topic from its beginning."""

    def __init__(self, name: str, folder: Path, build: Path, kafka: Kafka, postgres: Postgres) -> None:
        self.name, self.folder, self.build, self.kafka, self.postgres = name, folder, build, kafka, postgres
        self.instances: list[Process] = []
        postgres.query(f"create database {name}")

    def query(self, sql: str) -> str:
        return self.postgres.query(sql, self.name)

    def start(self) -> Process:
        folder = self.folder / f"{self.name}-{len(self.instances)}"
        folder.mkdir()
        config, _ = configure(folder, self.kafka, self.postgres.url.replace("/syncline", f"/{self.name}"), self.name)
        process = Process(f"inventory-sync of {self.name}", [str(self.build / "bin/inventory-sync"), "--config", str(config)], folder / "service.log")
        self.instances.append(process.start())
        return process

    def prepare(self) -> None:
        """The tables, and the shop's items in them, before anything is told."""
        process = self.start()
        know_items(self.query, SKUS)
        process.stop()

    def stop(self) -> None:
        for process in self.instances:
            process.stop()

    def owners(self) -> int:
        """How many instances have partitions of the stock topic."""
        return int(self.query("select count(distinct owner) from inventory_sync.partition_owner where topic = 'inventory.v1'"))

    def settled(self, records: int) -> None:
        """Waits until so many records are settled, as the database knows: what an instance counts dies with it."""
        wanted = "select coalesce(sum(next_offset), 0) from inventory_sync.batch_offsets where topic = 'inventory.v1'"

        def there() -> bool:
            for process in self.instances:
                if not process.running() and process.exit_code() not in (0, -9):
                    raise StackError(f"{process.name} ended with {process.exit_code()}:\n{process.tail()}")
            return int(self.query(wanted)) >= records

        wait_until(there, LIMIT_SECONDS, f"{self.name}: {records} records are settled", interval=0.2)

    def computed(self) -> None:
        wait_until(lambda: self.query("select count(*) from inventory_sync.dirty") == "0", LIMIT_SECONDS, f"{self.name}: all is computed", interval=1)

    def dump(self, table: str) -> Path:
        file = self.folder / f"{self.name}.{table}"
        with file.open("wb") as out:
            command = ["psql", "-h", "127.0.0.1", "-p", str(self.postgres.port), "-U", "postgres", "-d", self.name, "-X", "-v", "ON_ERROR_STOP=1"]
            done = subprocess.run([*command, "-c", f"copy ({TABLES[table]}) to stdout"], stdout=out, stderr=subprocess.PIPE)
        if done.returncode != 0:
            raise StackError(f"psql: {done.stderr.decode().strip()}")
        return file


def load(build: Path, kafka: Kafka) -> int:
    """All SKUs told of twice; the second time with changes, repetitions and levels that come late. How many records that are."""
    records = 0
    for words in (["1"], [str(LAST_PASS), "1", "mixed"]):
        sent = subprocess.run([str(build / "bin/bench_batch_load"), kafka.brokers, str(SKUS), *words], capture_output=True, text=True)
        if sent.returncode != 0:
            raise StackError(f"sending failed: {sent.stdout}{sent.stderr}")
        records += int(sent.stdout)
    return records


def not_the_model(pairs: Path) -> int:
    """Pairs that differ from what bench_batch_load told: the last level, and the change after it of every third SKU."""
    wrong, number = 0, 0
    with pairs.open() as rows:
        for number, row in enumerate(rows, 1):
            _, item, _, sku, _, target, *_ = row.split("\t")
            quantity = (number - 1 + 7 * LAST_PASS) % 1000 + (number % 5 - 2 if number % 3 == 0 else 0)
            wrong += (int(item), sku, int(target)) != (number, f"SKU-{number:09d}", max(0, quantity))
    return wrong + abs(SKUS - number)


def differences(one: Path, two: Path) -> tuple[int, int]:
    """Rows, and how many of them differ."""
    rows = differing = 0
    with one.open("rb") as left, two.open("rb") as right:
        for a, b in zip_longest(left, right):
            rows += 1
            differing += a != b
    return rows, differing


def alone(single: Deployment, records: int) -> float:
    began = time.monotonic()
    single.start()
    single.settled(records)
    single.computed()
    single.stop()
    return time.monotonic() - began


def disturbed(pair: Deployment, records: int) -> float:
    began = time.monotonic()
    first = pair.start()
    pair.settled(records // 5)
    second = pair.start()
    wait_until(lambda: pair.owners() == 2, 120, "the second has partitions", interval=0.2)
    done = int(pair.query("select sum(next_offset) from inventory_sync.batch_offsets where topic = 'inventory.v1'"))
    if SKUS >= 1_000_000 and done >= records * 3 // 5:  # A short run is over before anybody can join.
        raise StackError("the second joined when most was done")
    pair.settled(records * 3 // 5)
    first.kill()
    pair.settled(records)
    pair.computed()
    second.stop()
    if second.exit_code() != 0:
        raise StackError(f"the second ended with {second.exit_code()}:\n{second.tail()}")
    return time.monotonic() - began


def run(report: Report, folder: Path, build: Path) -> None:
    kafka, postgres = Kafka(folder / "kafka"), Postgres(folder / "postgres")
    deployments: list[Deployment] = []
    try:
        kafka.start()
        postgres.start()
        kafka.wait_ready()
        postgres.wait_ready()
        kafka.create_topics()
        for name in ("single", "pair"):
            deployments.append(Deployment(name, folder, build, kafka, postgres))
            deployments[-1].prepare()
        single, pair = deployments
        records = load(build, kafka)
        seconds = [alone(single, records)]
        report.note(f"one instance: {seconds[0]:.0f} s")
        seconds.append(disturbed(pair, records))
        found = {table: (single.dump(table), pair.dump(table)) for table in TABLES}
    finally:
        for deployment in deployments:
            deployment.stop()
        for process in (postgres.process, kafka.process):
            process.stop()
    report.say(
        f"{records} records tell of {SKUS} SKUs twice, the second time with changes, repetitions and levels that come late. One instance takes them all; "
        "beside that, in a database of its own, a second instance joins after a fifth of the records, and the first is killed after three fifths."
    )
    counts = {table: differences(*files) for table, files in found.items()}
    report.table(["table", "rows", "different"], [[table, rows, differing] for table, (rows, differing) in counts.items()])
    wrong = [not_the_model(file) for file in found["pairs"]]
    report.say(
        f"One instance took {seconds[0]:.0f} s until all pairs were computed, the two {seconds[1]:.0f} s. "
        f"Pairs that are not what was told: {wrong[0]} and {wrong[1]}."
    )
    total = sum(differing for _, differing in counts.values()) + sum(wrong)
    report.aim(f"0 differences ({total})", total == 0)
