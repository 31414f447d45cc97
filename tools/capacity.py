#!/usr/bin/python3
"""How much CPU, PostgreSQL and Kafka a load needs, computed from the costs measured in docs/benchmarks.md (figure `costs`).

    tools/capacity.py                                      the profiles of docs/operating/capacity.md
    tools/capacity.py --orders-per-day 20000 --peak 12 --reports-per-day 500000
    tools/capacity.py --write                              the profiles, written into the page
"""

from __future__ import annotations

import argparse
import math
import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "docs/benchmarks.md"
PAGE = ROOT / "docs/operating/capacity.md"
BEGIN, END = "<!-- computed:profiles -->", "<!-- /computed:profiles -->"

DAY = 86_400
PARTITIONS = 12
INBOX_DAYS = 37  # The longest retention and a week.
SERVICES = ("ingress", "order-export", "inventory-sync", "reconciliation", "order-status")
RETENTION_DAYS = {"inventory.v1": 7}  # Others 30.
# Rows that end when what they stand for is over: they do not grow with the orders of the past.
PASSING = ("parked_keys", "parked_events", "outbox", "timers", "partition_owner", "partition_markers", "poison_tries", "batch_offsets", "order_lookups", "dirty", "guards", "batches", "lookups")
# Rows of which there is one for each item and place, however often it is told.
PER_ITEM = ("inventory_sync.positions", "inventory_sync.pairs", "inventory_sync.items", "inventory_sync.adjustments")


class Missing(Exception):
    """The figures are not there; the text says what to do."""


@dataclass
class Costs:
    """Of one order, or of one stock report."""

    cpu_ms: dict[str, float]
    table_bytes: dict[str, float]
    topic_bytes: dict[str, float]
    commits: float
    wal_bytes: float

    @staticmethod
    def read(heading: str, text: str) -> Costs:
        section = text.split(f"### {heading}\n", 1)
        if len(section) != 2:
            raise Missing(f"{FIGURES.relative_to(ROOT)} has no figure 'costs': run tools/dev bench costs")
        part = section[1].split("\n### ", 1)[0].split("<!-- /figure", 1)[0]
        rows: dict[str, dict[str, list[str]]] = {}
        table = ""
        for line in part.splitlines():
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
            if not cells or set(cells[0]) <= {"-"}:
                continue
            if cells[0] in ("process", "table", "topic", "database"):
                table = cells[0]
                rows[table] = {}
            else:
                rows[table][cells[0]] = cells[1:]
        return Costs(
            cpu_ms={name: float(cells[0]) for name, cells in rows["process"].items()},
            table_bytes={name: float(cells[1]) for name, cells in rows["table"].items()},
            topic_bytes={name: float(cells[1]) for name, cells in rows["topic"].items()},
            commits=float(rows["database"]["commits"][0]),
            wal_bytes=float(rows["database"]["WAL bytes"][0]),
        )


@dataclass
class Load:
    name: str
    orders_per_day: float
    reports_per_day: float
    pairs: float  # Items times locations times shops.
    peak: float = 10  # The busiest minute against the mean.
    years: float = 3  # How long ledgers are kept.
    replicas: int = 3
    core_share: float = 0.6  # Of a core, at peak.
    commits_max: float = 4_000  # What one PostgreSQL makes durable in a second.


PROFILES = [
    Load("one shop", 500, 5_000, 10_000),
    Load("a brand", 20_000, 500_000, 200_000),
    Load("a group", 300_000, 10_000_000, 5_000_000),
    Load("internet scale", 5_000_000, 200_000_000, 100_000_000),
]


def size(value: float) -> str:
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            return f"{value:.0f} {unit}" if value >= 10 or unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError


def table_kind(name: str) -> str:
    table = name.split(".", 1)[1]
    return "inbox" if table == "inbox" else "passing" if table in PASSING else "item" if name in PER_ITEM else "ledger"


def needs(load: Load, order: Costs, report: Costs) -> dict[str, str]:
    """What the load needs, by the names of the page's rows."""
    orders, reports = load.orders_per_day / DAY * load.peak, load.reports_per_day / DAY * load.peak
    found = {"orders/s at peak": f"{orders:,.1f}", "stock reports/s at peak": f"{reports:,.0f}"}

    def cores(name: str) -> float:
        return (orders * order.cpu_ms.get(name, 0) + reports * report.cpu_ms.get(name, 0)) / 1000

    for name in SERVICES:
        wanted = max(2, math.ceil(cores(name) / load.core_share))
        # Beyond the partitions more instances stand idle, except where there is no group.
        over = name != "ingress" and wanted > PARTITIONS
        found[f"{name}: cores → instances"] = f"{cores(name):.2f} → {wanted}" + (f" (at most {PARTITIONS}: split)" if over else "")
    found["PostgreSQL: cores"] = f"{cores('postgres'):.1f}"
    commits = orders * order.commits + reports * report.commits
    found["PostgreSQL: commits/s"] = f"{commits:,.0f}"
    found["PostgreSQL: WAL/s"] = size(orders * order.wal_bytes + reports * report.wal_bytes)
    inbox = sum(value for name, value in order.table_bytes.items() if table_kind(name) == "inbox") * load.orders_per_day * INBOX_DAYS
    ledger = sum(value for name, value in order.table_bytes.items() if table_kind(name) == "ledger") * load.orders_per_day * 365 * load.years
    # A measured report made a third of a row of each.
    per_item = sum(value for name, value in report.table_bytes.items() if name in PER_ITEM) * 3 * load.pairs
    found["PostgreSQL: inboxes"] = size(inbox)
    found[f"PostgreSQL: ledgers after {load.years:g} years"] = size(ledger)
    found["PostgreSQL: stock"] = size(per_item)
    found["PostgreSQL servers, by commits"] = str(max(1, math.ceil(commits / load.commits_max)))
    kafka = 0.0
    for costs, per_day in ((order, load.orders_per_day), (report, load.reports_per_day)):
        kafka += sum(value * per_day * RETENTION_DAYS.get(topic, 30) for topic, value in costs.topic_bytes.items())
    found["Kafka: disk, all copies"] = size(kafka * load.replicas)
    found["orders/s in one partition"] = f"{orders / PARTITIONS:,.1f}"
    return found


def table(loads: list[Load], text: str) -> str:
    order, report = Costs.read("An order", text), Costs.read("A stock report", text)
    columns = [needs(load, order, report) for load in loads]
    head = ["", *(load.name for load in loads)]
    rows = [
        ["orders a day", *(f"{load.orders_per_day:,.0f}" for load in loads)],
        ["stock reports a day", *(f"{load.reports_per_day:,.0f}" for load in loads)],
        ["items × locations × shops", *(f"{load.pairs:,.0f}" for load in loads)],
        *([name, *(column[name] for column in columns)] for name in columns[0]),
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]) + "\n"


def written(page: str, text: str) -> str:
    """The page with the profiles as they are computed now."""
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    if not pattern.search(page):
        raise Missing(f"{PAGE.relative_to(ROOT)} has no {BEGIN}")
    return pattern.sub(lambda _: f"{BEGIN}\n{table(PROFILES, text)}{END}", page)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders-per-day", type=float, help="orders of all shops on a day that counts")
    parser.add_argument("--reports-per-day", type=float, default=0, help="stock levels and changes that sources tell (0)")
    parser.add_argument("--pairs", type=float, default=0, help="items times locations times shops (0)")
    parser.add_argument("--peak", type=float, default=10, help="the busiest minute against the day's mean (10)")
    parser.add_argument("--years", type=float, default=3, help="how long ledgers have grown (3)")
    parser.add_argument("--replicas", type=int, default=3, help="copies of each topic (3)")
    parser.add_argument("--core-share", type=float, default=0.6, help="how much of a core an instance may use at peak (0.6)")
    parser.add_argument("--commits-max", type=float, default=4_000, help="commits a second of one PostgreSQL: pg_test_fsync tells (4000)")
    parser.add_argument("--write", action="store_true", help="write the profiles into docs/operating/capacity.md")
    arguments = parser.parse_args()
    try:
        text = FIGURES.read_text()
        if arguments.write:
            PAGE.write_text(written(PAGE.read_text(), text))
            return 0
        loads = PROFILES
        if arguments.orders_per_day is not None:
            given = {name: getattr(arguments, name) for name in ("orders_per_day", "reports_per_day", "pairs", "peak", "years", "replicas", "core_share", "commits_max")}
            if min(given.values()) < 0 or not given["core_share"] or not given["commits_max"]:
                parser.error("numbers below zero mean nothing, and shares and limits are above it")
            loads = [Load("yours", **given)]
        sys.stdout.write(table(loads, text))
    except Missing as error:
        print(f"capacity: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
