"""100,000 changed pairs of a shop with a million travel to Shopify on the budget of a Plus shop, which the sandbox enforces."""

from __future__ import annotations

import math
import os
import subprocess
import time
from datetime import datetime
from pathlib import Path

import yaml
from stack.process import StackError, wait_until
from stack.stack import Service, Shop, Stack
from stack.stock import Stock

from . import machine
from .report import Report

TITLE = "Changed stock to Shopify on a Plus budget"
SCALE = float(os.environ.get("SYNCLINE_BENCH_SCALE", "1"))
PAIRS = int(1_000_000 * SCALE)
CHANGED = int(100_000 * SCALE)
BATCH = 250
POINTS_PER_SECOND = 1_000  # Plus.
BUCKET = 20 * POINTS_PER_SECOND
VALUES = 1_000  # The sandbox shows index modulo so much of each item.
LIMIT_SECONDS = 900
WAITING = "select count(*) from inventory_sync.pairs where unsent and not look and batch is null"


def mapping(stack: Stack) -> str:
    location = int(stack.shopify.control("shops/eu/summary")["locations"][0]["id"])
    feeds = [{"source": "wms-north", "location": "main"}]
    return yaml.safe_dump({"sources": {"wms-north": {"basis": "physical"}}, "shops": {"eu": {"locations": [{"id": location, "from": feeds}]}}})


def know(stack: Stack) -> None:
    """Rows as a first push leaves them, for all items but the second CHANGED: of those nothing was told yet."""
    one, two = (stack.shopify.control(f"shops/eu/levels?sku=SKU-{number:09d}")[0] for number in (1, 2))
    item = f"{one['item']} + n * {int(two['item']) - int(one['item'])}"
    sku = "'SKU-' || lpad((n + 1)::text, 9, '0')"
    shown = f"generate_series(0, {PAIRS - 1}) n where n not between {CHANGED} and {2 * CHANGED - 1}"
    stack.postgres.query(f"insert into inventory_sync.items select 'eu', {item}, {sku}, true, false, 1 from generate_series(0, {PAIRS - 1}) n")
    stack.postgres.query(
        "insert into inventory_sync.positions (sku, source, location, basis, unit, level, observed_ns, epoch, previous_epoch, sequence, snapshot, adjusted)"
        f" select {sku}, 'wms-north', 'main', 0, '', n % {VALUES}, 1, '', '', 0, '', false from {shown}"
    )
    stack.postgres.query(
        "insert into inventory_sync.pairs (shop, item_id, location_id, sku, basis, target, sellable, urgency, unsent, believed, look)"
        f" select 'eu', {item}, {one['location']}, {sku}, 0, n % {VALUES}, n % {VALUES}, n % {VALUES} * 30, false, n % {VALUES}, false from {shown}"
    )
    stack.postgres.query("vacuum analyze")


def report_changes(stack: Stack, first: int) -> None:
    sent = subprocess.run([str(stack.bin / "bench_batch_load"), stack.kafka.brokers, str(CHANGED), "1", str(first)], capture_output=True, text=True)
    if sent.returncode != 0:
        raise StackError(f"sending failed: {sent.stdout}{sent.stderr}")


def written(sync: Service) -> float:
    return sync.metric("syncline_inventory_sync_pairs_written_total")


class Push:
    """What one push took, from its first call on."""

    def __init__(self, stack: Stack, cpu: dict[str, float], seconds: float, in_bucket: float) -> None:
        calls = stack.shopify.control("counters")["calls"]
        self.documents = {name: (entry["calls"], entry["points"]) for name, entry in calls.items() if entry["points"]}
        self.points = sum(points for _, points in self.documents.values())
        self.seconds = seconds
        self.allowed = max(0.0, self.points - in_bucket) / POINTS_PER_SECOND
        self.times = seconds / self.allowed if self.allowed else math.inf  # A short run may live on the bucket alone.
        self.cpu = {name: value - cpu.get(name, 0.0) for name, value in machine.cpu_seconds(stack).items()}
        budget = stack.shopify.control("shops/eu/budget")
        if budget["unprovoked_overruns"] or budget["hasty_overruns"]:
            raise StackError(f"more was asked than the budget holds: {budget['overruns'][:3]}")


def known(stack: Stack, sync: Service) -> Push:
    """Changed while another had the shop, then let go. Another process of the app has just emptied the bucket."""
    leases = "update inventory_sync.work_leases set owner = 'another', until = now() + interval '1 hour' where name = 'shop/eu'"
    wait_until(lambda: stack.postgres.query(f"with taken as ({leases} returning 1) select count(*) from taken") == "1", 30, "the shop's lease", interval=0.2)
    wait_until(lambda: stack.postgres.query("select count(*) from inventory_sync.batches") == "0", 30, "no call is on its way", interval=0.5)
    report_changes(stack, 1)
    wait_until(lambda: stack.postgres.query(WAITING) == str(CHANGED), LIMIT_SECONDS, "all changes are computed", interval=0.5)
    stack.postgres.query("vacuum analyze")
    stack.shopify.control("shops/eu/budget", "DELETE")
    stack.shopify.control("counters", "DELETE")
    stack.shopify.control("faults", "POST", {"kind": "drain", "points": BUCKET, "operation": "SetQuantities", "times": 1})
    before, cpu = written(sync), machine.cpu_seconds(stack)
    stack.postgres.query("update inventory_sync.work_leases set until = now() where owner = 'another'")
    wait_until(lambda: written(sync) - before >= CHANGED, LIMIT_SECONDS, "Shopify shows all that was known", interval=0.05)
    ended = time.time()
    began = datetime.fromisoformat(stack.shopify.control("shops/eu/budget")["overruns"][0]["at"]).timestamp()
    return Push(stack, cpu, ended - began, 0)


def never_looked_at(stack: Stack, sync: Service) -> Push:
    """Heard of for the first time: each pair is read before it is written. The bucket is full."""
    stack.shopify.control("shops/eu/budget", "DELETE")
    stack.shopify.control("counters", "DELETE")
    before, cpu = written(sync), machine.cpu_seconds(stack)
    report_changes(stack, CHANGED + 1)
    wait_until(lambda: stack.shopify.control("shops/eu/budget")["calls"], 60, "the first call", interval=0.02)
    began = time.monotonic()
    wait_until(lambda: written(sync) - before >= CHANGED, LIMIT_SECONDS, "Shopify shows all that was new", interval=0.1)
    return Push(stack, cpu, time.monotonic() - began, BUCKET)


def check(stack: Stack) -> None:
    """Nothing is left to send, and a sample of each push shows what was reported."""
    left = "select count(*) from inventory_sync.pairs where unsent or look or batch is not null"
    wait_until(lambda: stack.postgres.query(left) == "0", 60, "nothing is left", interval=0.5)
    summary = stack.shopify.control("shops/eu/summary")
    wrong = 0
    for number in range(1, 2 * CHANGED + 1, max(1, CHANGED // 200)):
        level = stack.shopify.control(f"shops/eu/levels?sku=SKU-{number:09d}")[0]
        wrong += level["available"] != (number - 1 + 7) % VALUES
    if wrong or summary["stale_compares"] or summary["writes_without_compare"] or summary["pairs_written"] != 2 * CHANGED:
        raise StackError(f"{wrong} of the sampled levels are wrong, {summary['stale_compares']} compares were stale, {summary['pairs_written']} pairs written")


def run(report: Report, folder: Path, build: Path) -> None:
    stock = Stock(mapping=mapping, locations=("Main",), items=0, plan="plus", webhooks=(), reconciliation=0, order_status=0)
    with Stack(folder, build=build, shops=[Shop("eu")], connections=[], stock=stock, log_level="warn") as stack:
        machine.assert_durable(stack)
        sync = stack.services["inventory-sync/0"]
        stack.shopify.control("shops/eu/items", "POST", {"count": PAIRS, "digits": 9, "quantity": {"mod": VALUES}})
        know(stack)
        pushes = {"shown before, changed": known(stack, sync)}
        report.note(f"known pairs: {pushes['shown before, changed'].seconds:.1f} s")
        pushes["never looked at"] = never_looked_at(stack, sync)
        check(stack)
    report.say(
        f"A shop of {PAIRS} pairs, {CHANGED} of them changed in each push; {POINTS_PER_SECOND} points a second, a bucket of {BUCKET}, and the sandbox refuses "
        "what is not paid for. The first push begins with an empty bucket, the second with a full one; the time counts from the first call."
    )
    report.table(
        ["pairs", "points", "s the points allow", "s taken", "times", "pairs/s"],
        [
            [name, f"{push.points:.0f}", f"{push.allowed:.1f}", f"{push.seconds:.1f}", f"{push.times:.2f}", f"{CHANGED / push.seconds:.0f}"]
            for name, push in pushes.items()
        ],
    )
    report.table(
        ["pairs", "document", "calls", "points", "points a call", "points a pair"],
        [
            [name, document, calls, f"{points:.0f}", f"{points / calls:.1f}", f"{points / CHANGED:.2f}"]
            for name, push in pushes.items()
            for document, (calls, points) in sorted(push.documents.items())
        ],
    )
    for name, push in pushes.items():
        report.say(f"CPU seconds, {name}: " + ", ".join(f"{who} {value:.1f}" for who, value in push.cpu.items() if value >= 0.1))
    fewest = math.ceil(CHANGED / BATCH)
    calls = pushes["shown before, changed"].documents["SetQuantities"][0] - 1  # The one that met the empty bucket was refused.
    report.aim(f"{fewest} writing calls for a backlog ({calls})", calls == fewest)
    for name, push in pushes.items():
        report.aim(f"{name}: the time the points allow + 10 % ({push.times:.2f} times)", push.times <= 1.1)
