"""Cost of an event with an empty database against one with 10 million ledger rows and 20 million inbox rows."""

from __future__ import annotations

import os
import secrets
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stack.process import StackError, wait_until
from stack.stack import Connection, Service, Stack

from . import exported, machine
from .report import Report

TITLE = "Cost of an event and the size of the database"
SCALE = float(os.environ.get("SYNCLINE_BENCH_SCALE", "1"))
ORDERS_STORED = int(10_000_000 * SCALE)
EVENTS_STORED = int(20_000_000 * SCALE)
PAIRS = 5
EVENTS = 6_000
FIRST_STORED_ID = 8_000_000_000_000  # Above every id of loadgen.
SCHEMA = "order_export"


@dataclass
class Side:
    """One connection with a database of its own."""

    connection: Connection
    database: str
    service: Service

    def handled(self) -> float:
        return self.service.metric("syncline_events_total")


@dataclass
class Measured:
    us: float
    service_cpu_us: float
    postgres_cpu_us: float


class Filler:
    """Loads rows like the ones the service itself has written, with other ids, by COPY."""

    def __init__(self, stack: Stack, database: str) -> None:
        self.stack = stack
        self.database = database

    def fill(self, table: str, rows: int, template_where: str, varied: dict[str, Callable[[int], Iterator[str]]]) -> None:
        columns = self._query(
            "select column_name from information_schema.columns "
            f"where table_schema = '{SCHEMA}' and table_name = '{table}' and is_generated = 'NEVER' order by ordinal_position"
        ).splitlines()
        listed = ", ".join(columns)
        template = self._query(f"copy (select {listed} from {SCHEMA}.{table} where {template_where} limit 1) to stdout").rstrip("\n")
        if not template:
            raise StackError(f"no row of {SCHEMA}.{table} to take as a template ({template_where})")
        order = self._order_id(template)
        # Between two \x01: the name of what differs from row to row; the order's id wherever it stands in the row.
        cells = [f"\x01{column}\x01" if column in varied else cell.replace(order, "\x01id\x01") for column, cell in zip(columns, template.split("\t"), strict=True)]
        pieces = "\t".join(cells).split("\x01")
        self._copy(table, listed, pieces, rows, varied)

    @staticmethod
    def _order_id(template: str) -> str:
        """The longest number of the row's keys: loadgen's order ids have 13 digits."""
        digits = "".join(char if char.isdigit() else " " for char in template).split()
        return next(number for number in digits if len(number) == 13)

    def _query(self, sql: str) -> str:
        done = subprocess.run([*self._psql(), "-c", sql], capture_output=True, text=True)
        if done.returncode != 0:
            raise StackError(f"psql: {done.stderr.strip()}")
        return done.stdout

    def _psql(self) -> list[str]:
        return ["psql", "-h", "127.0.0.1", "-p", str(self.stack.postgres.port), "-U", "postgres", "-d", self.database, "-AtX", "-v", "ON_ERROR_STOP=1"]

    def _copy(self, table: str, listed: str, pieces: list[str], rows: int, varied: dict[str, Callable[[int], Iterator[str]]]) -> None:
        sources = {name: make(rows) for name, make in varied.items()}
        sources["id"] = (str(FIRST_STORED_ID + number) for number in range(rows))
        # Odd pieces name a source.
        line = "".join(f"%({piece})s" if index % 2 else piece.replace("%", "%%") for index, piece in enumerate(pieces))
        child = subprocess.Popen([*self._psql(), "-c", f"copy {SCHEMA}.{table} ({listed}) from stdin"], stdin=subprocess.PIPE, text=True, stdout=subprocess.DEVNULL)
        assert child.stdin is not None
        names = tuple(sources)
        lines: list[str] = []
        for values in zip(*sources.values(), strict=True):
            lines.append(line % dict(zip(names, values, strict=True)))
            if len(lines) == 5000:
                child.stdin.write("\n".join(lines) + "\n")
                lines.clear()
        if lines:
            child.stdin.write("\n".join(lines) + "\n")
        child.stdin.close()
        if child.wait() != 0:
            raise StackError(f"copying into {table} failed; the lines above say why")


def uuids(rows: int) -> Iterator[str]:
    left = rows
    while left > 0:
        block = secrets.token_bytes(16 * min(left, 10_000)).hex()
        yield from (block[at : at + 32] for at in range(0, len(block), 32))
        left -= 10_000


def offsets_from(first: int) -> Callable[[int], Iterator[str]]:
    return lambda rows: (str(first + number) for number in range(rows))


def times(rows: int) -> Iterator[str]:
    """Evenly over the last 30 days, oldest first: what growth control has not deleted yet."""
    now, last, text = time.time(), -1, ""
    for number in range(rows):
        second = int(now - 30 * 86_400 * (1 - number / rows))
        if second != last:
            last, text = second, time.strftime("%Y-%m-%d %H:%M:%S+00", time.gmtime(second))
        yield text


def send(stack: Stack, orders: int, first: int) -> None:
    secrets_words = [word for shop in stack.shops for word in ("--secret", f"{shop.alias}={stack.folder / 'secrets' / f'shopify-{shop.alias}'}")]
    command = [str(stack.bin / "loadgen"), "send", "--ingress", stack.ingress_url, *secrets_words, "--unpaced", "--mix", "single", "--kinds", "plain"]
    command += ["--orders", str(orders), "--first-order", str(first), "--customers", "2000", "--seed", "11"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise StackError(f"the sender failed: {done.stdout[-300:]} {done.stderr[-300:]}")


def published(stack: Stack) -> int:
    return sum(exported.offsets(stack.kafka.brokers, "syncline.orders.v1").values())


def measure(stack: Stack, side: Side, events: int) -> Measured:
    """Resumes a paused connection and times it until it has handled what waited."""
    target = side.handled() + events
    service, postgres = side.service.process.cpu_seconds(), machine.postgres_cpu(stack)
    began = time.monotonic()
    stack.admin(side.service, "/admin/connection/resume", "POST", {"reason": "bench"})
    wait_until(lambda: side.handled() >= target, 300, f"{side.connection.name} has handled {events} events", interval=0.02)
    seconds = time.monotonic() - began
    service, postgres = side.service.process.cpu_seconds() - service, machine.postgres_cpu(stack) - postgres
    stack.admin(side.service, "/admin/connection/pause", "POST", {"reason": "bench"})
    return Measured(seconds / events * 1e6, service / events * 1e6, postgres / events * 1e6)


def run(report: Report, folder: Path, build: Path) -> None:
    with Stack(folder, build=build, connections=[Connection("empty")], log_level="warn", long_lived=True) as stack:
        machine.assert_durable(stack)
        # A database of its own for the full side, on the same server.
        stack.postgres.query("create database syncline_full", "postgres")
        full_url = stack.postgres.url.replace("/syncline", "/syncline_full")
        full = Connection("full", settings={"postgres": {"url": full_url}})
        stack.connections.append(full)
        _open_connection(stack, full)
        sides = [
            Side(stack.connections[0], "syncline", stack.services["order-export/empty/0"]),
            Side(full, "syncline_full", stack.services["order-export/full/0"]),
        ]
        report.note("a few orders, so that there are rows to take as templates")
        send(stack, 500, 0)
        wait_until(lambda: all(side.handled() >= published(stack) for side in sides), 120, "both connections have handled the first orders")
        for side in sides:
            stack.admin(side.service, "/admin/connection/pause", "POST", {"reason": "bench"})
        _fill(report, stack, sides[1])
        _pairs(report, stack, sides)


def _open_connection(stack: Stack, connection: Connection) -> None:
    """What Stack.start() does for the connections it knows."""
    stack._start_odoo(connection)
    (stack.folder / "config/mappings" / f"{connection.name}.yaml").write_text(stack.mapping_file("empty").read_text())
    (stack.folder / "secrets" / f"{connection.name}-api-key").write_text("sandbox-key\n")
    stack.wait_ready(stack.add_export(connection, 0))


def _fill(report: Report, stack: Stack, side: Side) -> None:
    filler = Filler(stack, side.database)
    began = time.monotonic()
    report.note(f"loading {ORDERS_STORED:,} ledger rows")
    filler.fill("export_orders", ORDERS_STORED, "true", {})
    report.note(f"loading {ORDERS_STORED:,} intents")
    filler.fill("intents", ORDERS_STORED, "external_key like '%_order_%'", {"record_offset": offsets_from(1_000_000)})
    report.note(f"loading {EVENTS_STORED:,} inbox rows")
    filler.fill(
        "inbox", EVENTS_STORED, "state = 'done'", {"event_id": uuids, "record_offset": offsets_from(1_000_000), "at": times, "settled_at": times}
    )
    stack.postgres.query("vacuum (analyze)", side.database)
    stack.postgres.query("checkpoint", side.database)
    size = stack.postgres.query(f"select pg_size_pretty(pg_database_size('{side.database}'))", side.database)
    report.say(
        f"{ORDERS_STORED:,} orders in the ledger, as many intents, {EVENTS_STORED:,} inbox rows, loaded by COPY in {time.monotonic() - began:.0f} s; "
        f"{size} against an empty database on the same server with the same settings. {EVENTS} new orders each time, handled by both sides in turn."
    )


def _pairs(report: Report, stack: Stack, sides: list[Side]) -> None:
    first = 500
    report.note("one pair unmeasured, to warm both")
    ratios: dict[str, list[float]] = {"time": [], "service CPU": [], "PostgreSQL CPU": []}
    rows = []
    for number in range(PAIRS + 1):
        before = published(stack)
        send(stack, EVENTS, first)
        first += EVENTS
        events = published(stack) - before
        order = sides if number % 2 == 0 else list(reversed(sides))
        found = {side.connection.name: measure(stack, side, events) for side in order}
        if number == 0:
            continue
        empty, full = found["empty"], found["full"]
        ratios["time"].append(full.us / empty.us)
        ratios["service CPU"].append(full.service_cpu_us / empty.service_cpu_us)
        ratios["PostgreSQL CPU"].append(full.postgres_cpu_us / empty.postgres_cpu_us)
        rows.append(
            [number, f"{empty.us:.0f}", f"{full.us:.0f}", f"{ratios['time'][-1]:.3f}", f"{empty.service_cpu_us:.0f}", f"{full.service_cpu_us:.0f}",
             f"{empty.postgres_cpu_us:.0f}", f"{full.postgres_cpu_us:.0f}"]
        )  # fmt: skip
        report.note(f"pair {number}: ratio {ratios['time'][-1]:.3f}")
    report.table(["pair", "µs/event empty", "full", "ratio", "service CPU µs empty", "full", "PostgreSQL CPU µs empty", "full"], rows)
    report.say("Medians of the ratios: " + ", ".join(f"{name} {statistics.median(values):.3f}" for name, values in ratios.items()) + ".")
    median = statistics.median(ratios["time"])
    report.aim(f"median ratio ≤ 1.10 ({median:.3f})", median <= 1.10)
