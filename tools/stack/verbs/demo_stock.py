"""The stock chapter of tools/dev demo: a delivery, a sale and a manual count travel to Shopify; then a sabotage is found and healed.

Its two shops are its own and sell from one shelf. The day's shops have no Admin API: their orders are sent straight to ingress, and
no Shopify would know them.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from ..outcome import sandbox
from ..process import StackError, wait_until
from ..stack import Shop, Stack
from ..stock import Stock

SELLING, OTHER = "web", "outlet"
SKU, SABOTAGED = "SKU-0000001", "SKU-0000002"
ITEMS, LYING = 100, 20  # What the warehouse has in the beginning: so many pieces of each.
DELIVERED, SOLD, COUNTED = 15, 3, 32  # Of SKU; counted are three fewer than should lie there.
TOO_MANY = 5  # Pieces that the sabotaged level shows and nobody has.
SWALLOWED = 10  # Orders of which no webhook arrives.
PATIENCE = 60  # Seconds for each step.
WIDTH = 50

# Seconds instead of the shipped minutes and hours, so that nobody has to wait for them.
SETTINGS = {
    "orders": {"interval": "3s", "grace": "3s", "skew": "2s", "settle": "1s"},
    "stock": {"sync_delay": "1s", "clock_skew": "1s", "nightly_at": "", "changed_every": "3s"},
}


def shops() -> list[Shop]:
    return [Shop(SELLING), Shop(OTHER)]


def stock() -> Stock:
    """What the stack needs for this chapter."""
    return Stock(shops=(SELLING, OTHER), locations=("Main",), items=ITEMS, reconciliation_settings=SETTINGS, order_status=0)


class Clock:
    """Seconds since the step began."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    def __str__(self) -> str:
        return f"{time.monotonic() - self.began:.1f} s"


class Chapter:
    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.orders: list[str] = []  # Placed at SELLING.

    def play(self) -> list[str]:
        """Prints each step, what was seen and how long it took; returns what did not come true."""
        failures = []
        print(f"\n  stock: one warehouse feeds the shops {SELLING} and {OTHER}, which sell from the same shelf\n")
        print(f"  {'what happens':<{WIDTH}}  {'took':>6}  what was seen")
        for title, step in (
            (f"the warehouse tells all: {ITEMS} SKUs, {LYING} of each", self.snapshot),
            (f"a delivery: {DELIVERED} more of one", self.delivery),
            (f"a sale: {SOLD} of it at {SELLING}", self.sale),
            (f"a manual count: {COUNTED} lie there, not {LYING + DELIVERED}", self.count),
            ("a full comparison of all levels, as every night", self.comparison),
            (f"sabotage: {TOO_MANY} pieces too many in Shopify, untold", self.changed_level),
            (f"sabotage: all webhooks of {SWALLOWED} orders swallowed", self.swallowed_webhooks),
            ("what Shopify has counted", self.counters),
        ):
            print(f"  {title:<{WIDTH}}  ", end="", flush=True)
            clock = Clock()
            try:
                seen = step(clock)
            except (StackError, OSError, subprocess.TimeoutExpired) as error:
                seen = f"NOT SO: {error}"
                failures.append(f"{title}: {error}")
            print(f"{clock!s:>6}  {seen}", flush=True)
        print(f"\n  {'every step came true' if not failures else f'{len(failures)} steps did not come true'}")
        return failures

    # ---- steps
    def snapshot(self, _: Clock) -> str:
        self.stack.warehouse.control("seed", "POST", {"count": ITEMS, "places": ["MAIN"], "quantity": LYING})
        self.stack.warehouse.control("push_snapshot", "POST", {})

        def shown() -> list[int]:
            levels = [level for shop in (SELLING, OTHER) for level in self.stack.shopify.control(f"shops/{shop}/levels")]
            return [level["available"] for level in levels]

        self.wait(lambda: shown() == [LYING] * 2 * ITEMS, lambda: f"{shown().count(LYING)} of {2 * ITEMS} levels are what the warehouse said")
        return f"{2 * ITEMS} levels stand in Shopify"

    def delivery(self, _: Clock) -> str:
        self.warehouse("receive", DELIVERED)
        self.both_sell(LYING + DELIVERED)
        return f"both shops sell {LYING + DELIVERED}"

    def sale(self, clock: Clock) -> str:
        self.sell(SOLD)
        left = LYING + DELIVERED - SOLD
        self.both_sell(left)
        seen = f"both shops sell {left} after {clock}"
        self.in_erp()
        return f"{seen}, the order is in the ERP"

    def count(self, _: Clock) -> str:
        self.warehouse("count", COUNTED)
        self.both_sell(COUNTED - SOLD)
        return f"both shops sell {COUNTED - SOLD}: {SOLD} are sold and still lie there"

    def comparison(self, _: Clock) -> str:
        command = ["--targets", str(self.stack.targets_file), "reconcile", "stock", "--shop", SELLING, "--wait", "--reason", "demo", "-o", "json"]
        done = subprocess.run([str(self.stack.bin / "synclinectl"), *command], capture_output=True, text=True, timeout=PATIENCE)
        if done.returncode != 0:
            raise StackError(f"synclinectl reconcile stock: {done.stderr.strip()}")
        # Also says which levels have just changed and may still be on their way.
        found = [row for row in json.loads(done.stdout) if row["class"] != "in_flight"]
        if found:
            raise StackError(f"nothing should differ, but does: {found}")
        run = next(run for run in self.runs() if run["kind"] == "asked")
        pairs = self.ask(f"/admin/stock-runs/{run['id']}")["comparisons"][0]["pairs"]
        return f"{pairs} levels, none differs"

    def changed_level(self, clock: Clock) -> str:
        body = {"sku": SABOTAGED, "location": self.location(SELLING), "name": "available", "delta": TOO_MANY, "quiet": True}
        self.stack.shopify.control(f"shops/{SELLING}/levels", "POST", body)
        if self.level(SELLING, SABOTAGED) != LYING + TOO_MANY:
            raise StackError("the level could not be changed")
        wanted = {"class": "drift", "shopify": LYING + TOO_MANY, "other": LYING, "healing": "corrected"}
        self.wait(lambda: wanted in self.drifts(SABOTAGED), lambda: f"the comparison of changed levels has found {self.drifts(SABOTAGED)} instead of {wanted}")
        seen = f"found after {clock} ({LYING + TOO_MANY} instead of {LYING})"
        self.shows(SELLING, SABOTAGED, LYING)
        return f"{seen}, healed"

    def swallowed_webhooks(self, clock: Clock) -> str:
        reconciliation = self.stack.services["reconciliation/0"]

        def found() -> int:
            return int(reconciliation.metric("syncline_reconciliation_orders_found_total", shop=SELLING))

        before = found()
        topics = [topic for topic in self.stack.stock.webhooks if topic.startswith("orders/")]
        shopify = self.stack.shopify
        shopify.control("faults", "POST", [{"kind": "webhook_drop", "shop": SELLING, "topic": topic} for topic in topics])
        try:
            placed = [self.sell(1) for _ in range(SWALLOWED)]
        finally:
            shopify.control("faults", "DELETE")
        dropped = Counter(delivery["resource"] for delivery in shopify.control(f"shops/{SELLING}/webhooks?state=dropped"))
        if dropped != Counter(placed * len(topics)):
            raise StackError(f"the webhooks of {len(dropped)} orders were swallowed, not those of {SWALLOWED}")
        self.wait(lambda: found() - before >= SWALLOWED, lambda: f"the order check has found {found() - before} of {SWALLOWED}")
        seen = f"missed after {clock}"
        self.in_erp()
        seen += f", each in the ERP once after {clock}"
        self.both_sell(COUNTED - SOLD - SWALLOWED)
        return f"{seen}, both shops sell {COUNTED - SOLD - SWALLOWED}"

    def counters(self, _: Clock) -> str:
        """Of Shopify's side: what must never happen, whatever the steps showed."""
        for shop in (SELLING, OTHER):
            summary = self.stack.shopify.control(f"shops/{shop}/summary")
            never = {name: summary[name] for name in ("negative_levels", "went_below_zero", "writes_without_compare")}
            never["points_overdrawn"] = self.stack.shopify.control(f"shops/{shop}/budget")["unprovoked_overruns"]
            if any(never.values()):
                raise StackError(f"{shop}: {never}")
        return "no level below zero, no value overwritten unseen, no point spent that was not there"

    # ---- what the steps do
    def warehouse(self, what: str, quantity: int) -> None:
        self.stack.warehouse.control(what, "POST", {"place": "MAIN", "sku": SKU, "quantity": quantity})

    def sell(self, quantity: int) -> str:
        body = {"lines": [{"sku": SKU, "quantity": quantity}], "tax_rate": "0.20", "taxes_included": True, "shipping": {"price": "4.90"}}
        self.orders.append(str(self.stack.shopify.control(f"shops/{SELLING}/checkout", "POST", body)["id"]))
        return self.orders[-1]

    # ---- what they look at
    def location(self, shop: str) -> str:
        return str(self.stack.shopify.control(f"shops/{shop}/summary")["locations"][0]["id"])

    def level(self, shop: str, sku: str) -> int:
        return int(self.stack.shopify.control(f"shops/{shop}/levels?sku={sku}")[0]["available"])

    def ask(self, path: str) -> Any:
        return self.stack.admin(self.stack.services["reconciliation/0"], path)

    def runs(self) -> list[dict[str, Any]]:
        return self.ask(f"/admin/stock-runs?shop={SELLING}&limit=1000")["items"]

    def drifts(self, sku: str) -> list[dict[str, Any]]:
        """What the comparisons of changed levels say of a SKU."""
        found = []
        for run in self.runs():
            if run["kind"] == "changed" and run["corrections"]:
                rows = self.ask(f"/admin/stock-runs/{run['id']}/report/syncline")["differences"]
                found += [{name: row[name] for name in ("class", "shopify", "other", "healing")} for row in rows if row["sku"] == sku]
        return found

    def both_sell(self, available: int) -> None:
        for shop in (SELLING, OTHER):
            self.shows(shop, SKU, available)

    def shows(self, shop: str, sku: str, available: int) -> None:
        self.wait(lambda: self.level(shop, sku) == available, lambda: f"{shop} sells {self.level(shop, sku)} of {sku} instead of {available}")

    def in_erp(self) -> None:
        """Every order placed so far stands in the ERP once, confirmed; and nothing else of that shop."""
        wanted = Counter(f"syncline.{SELLING}_order_{order}" for order in self.orders)

        def standing() -> Counter[str]:
            return Counter(entry["external_id"] for entry in sandbox(self.stack, f"orders?prefix=syncline.{SELLING}_order_") if entry["state"] == "sale")

        def instead() -> str:
            holds = self.stack.admin(self.stack.exports()[0], "/admin/holds?limit=1000")["items"]
            why = Counter(f"{hold['code']} {hold['waits_for']}".strip() for hold in holds if hold["key"].startswith(f"{SELLING}/"))
            return f"{sum((wanted - standing()).values())} of {len(self.orders)} orders are not in the ERP; held: {dict(why)}"

        self.wait(lambda: standing() == wanted, instead)

    def wait(self, condition: Callable[[], bool], instead: Callable[[], str]) -> None:
        try:
            wait_until(condition, PATIENCE, "what should come true", interval=0.1)
        except StackError:
            raise StackError(instead()) from None
