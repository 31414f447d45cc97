"""The stock chapter of tools/dev demo: a delivery, a sale and a count travel to Shopify; then a sabotage is found and healed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..outcome import sandbox
from ..process import StackError, wait_until
from ..stack import Stack, Stock

SKU = "SKU-0000001"
SABOTAGED = "SKU-0000002"
SWALLOWED = 10  # Webhooks of orders that never arrive.
PATIENCE = 90  # Seconds for each step.

# Intervals of seconds instead of the shipped minutes, so that nobody has to wait for them.
SETTINGS = {
    "orders": {"interval": "5s", "grace": "3s", "settle": "1s"},
    "stock": {"sync_delay": "1s", "clock_skew": "1s", "nightly_at": "", "changed_every": "0s"},
}


def stock() -> Stock:
    """What the stack needs for this chapter. The day's orders are not Shopify's, so nobody tells it of them."""
    return Stock(items=40, reconciliation_settings=SETTINGS, order_status=0)


class Chapter:
    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.locations = {shop.alias: stack.shopify.control(f"shops/{shop.alias}/summary")["locations"][0]["id"] for shop in stack.shops}
        self.lines: list[tuple[str, str]] = []
        self.failures: list[str] = []

    def play(self) -> list[str]:
        """Prints each step with the time it took; what did not come true."""
        print("\n  stock: a warehouse feeds both shops, inventory-sync writes what may be sold, reconciliation compares")
        for title, step in (
            ("a delivery of 40", self.delivery),
            ("a sale of 3 at eu", self.sale),
            ("a count finds 35", self.count),
            ("sabotage: 5 too many in Shopify, unheard of", self.sabotage),
            (f"sabotage: {SWALLOWED} order webhooks swallowed", self.swallowed),
        ):
            began = time.monotonic()
            try:
                said = step()
            except StackError as error:
                said = f"NOT: {error}"
                self.failures.append(f"{title}: {error}")
            print(f"  {title:<44}  {said}  ({time.monotonic() - began:.1f} s)", flush=True)
        return self.failures

    # ---- steps
    def delivery(self) -> str:
        for sku in (SKU, SABOTAGED):
            self.warehouse_says(sku, 40)
        for sku in (SKU, SABOTAGED):
            for shop in self.locations:
                self.shows(shop, sku, 40)
        return "both shops show 40"

    def sale(self) -> str:
        order = self.sell("eu", SKU, 3)
        self.shows("us", SKU, 37)
        self.in_erp("eu", [order])
        return "eu and us show 37, the order is in the ERP"

    def count(self) -> str:
        self.warehouse_says(SKU, 35)
        self.shows("eu", SKU, 32)  # 35 stand there, 3 of them are sold and not shipped.
        self.shows("us", SKU, 32)
        return "both show 32: 3 are sold and still on the shelf"

    def sabotage(self) -> str:
        change = {"sku": SABOTAGED, "location": self.locations["eu"], "name": "available", "delta": 5, "quiet": True}
        self.stack.shopify.control("shops/eu/levels", "POST", change)
        time.sleep(3)  # Until the level is old enough not to count as on its way.
        service = self.stack.services["reconciliation/0"]
        run = self.stack.admin(service, "/admin/stock-runs", "POST", {"shop": "eu", "reason": "demo"})["id"]
        wait_until(lambda: self.run(run)["state"] in ("done", "braked", "failed"), PATIENCE, "the comparison ends")
        self.shows("eu", SABOTAGED, 40)
        return "found by comparison, written back to 40"

    def swallowed(self) -> str:
        self.stack.shopify.control("faults", "POST", {"kind": "webhook_drop", "times": SWALLOWED, "shop": "eu", "topic": "orders/create"})
        orders = [self.sell("eu", "SKU-0000003", 1, oversell=True) for _ in range(SWALLOWED)]
        self.in_erp("eu", orders)
        return f"all {SWALLOWED} orders fetched, each in the ERP once"

    # ---- what the steps do and look at
    def warehouse_says(self, sku: str, quantity: int) -> None:
        self.stack.warehouse.control("count", "POST", {"place": "MAIN", "sku": sku, "quantity": quantity})

    def sell(self, shop: str, sku: str, quantity: int, **more: Any) -> str:
        return str(self.stack.shopify.control(f"shops/{shop}/checkout", "POST", {"lines": [{"sku": sku, "quantity": quantity}], **more})["id"])

    def run(self, run: str) -> dict[str, Any]:
        return self.stack.admin(self.stack.services["reconciliation/0"], f"/admin/stock-runs/{run}")

    def shows(self, shop: str, sku: str, available: int) -> None:
        def level() -> dict[str, Any]:
            return self.stack.shopify.control(f"shops/{shop}/levels?sku={sku}&location={self.locations[shop]}")[0]

        self.wait(lambda: level()["available"] == available, lambda: f"{shop} shows {level()['available']} of {sku} instead of {available}")

    def in_erp(self, shop: str, orders: list[str]) -> None:
        wanted = {f"syncline.{shop}_order_{order}" for order in orders}

        def missing() -> set[str]:
            found = [entry["external_id"] for entry in sandbox(self.stack, f"orders?prefix=syncline.{shop}_order_")]
            return wanted - {name for name in found if found.count(name) == 1}

        self.wait(lambda: not missing(), lambda: f"{len(missing())} of {len(orders)} orders do not stand in the ERP once")

    def wait(self, condition: Callable[[], bool], instead: Callable[[], str]) -> None:
        try:
            wait_until(condition, PATIENCE, "what should come true", interval=0.2)
        except StackError:
            raise StackError(instead()) from None
