"""A shop's day in the sandboxes: orders stand in Shopify, which tells ingress; a warehouse counts; and whether the ERP and Shopify
agree in the end."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from order_checks import OrderChecks
from stack import Stock, wait_until
from stock_flow import StockFlow
from support.flow import Flow, start_what_ended
from support.mapping import mapping
from support.orders import Order

ITEMS = 40
SHOPS = ("eu", "us")
# Short times instead of the shipped ones, so that a test need not wait for minutes until something is no longer young.
QUICK = {
    "lease": "3s",
    "stock": {"sync_delay": "1s", "clock_skew": "1s", "nightly_at": "", "changed_every": "0s"},
    "orders": {"interval": "4s", "grace": "8s", "overlap": "120s", "skew": "2s", "settle": "1s", "subscriptions": {"policy": "off"}},
}


def stock() -> Stock:
    return Stock(items=ITEMS, reconciliation_settings=QUICK)


class Day:
    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.stack = flow.stack
        self.stock = StockFlow(flow)
        self.checks = OrderChecks(flow)
        self.orders: list[Order] = []
        self.pieces: dict[str, int] = {}
        self.sold: dict[tuple[str, str], int] = defaultdict(int)

    # ---- what happens in the shops
    def place(self, count: int, **members: Any) -> list[Order]:
        """In both shops under the same ids."""
        made = []
        for _ in range(count):
            first = self.checks.order("eu", **members)
            made += [first, self.checks.order("us", id=first.id, **members)]
        for order in made:
            self.checks.place(order)
        self.orders += made
        return made

    def untaxed(self, rate: str) -> list[Order]:
        """An order in each shop whose tax no mapping entry names. Not in `orders`: what the mapping makes of it is the test's choice."""
        made = [self.checks.order(shop) for shop in SHOPS]
        for order in made:
            order.lines[0].rate = rate
            self.checks.place(order)
        return made

    def more_of(self, *orders: Order) -> None:
        for order in orders:
            order.lines[0].quantity += 1
            self.checks.change(order)

    def cancel(self, *orders: Order) -> None:
        for order in orders:
            order.cancel()
            self.checks.change(order)

    def refund(self, *orders: Order) -> None:
        for order in orders:
            order.with_refund(order.refund_body(self.flow.ids.refund(), {order.lines[0].id: 1}))
            self.checks.change(order)

    def count(self, level: int, skus: range) -> None:
        """The warehouse counts them."""
        for number in skus:
            self.pieces[self.sku(number)] = level + number
            self.stock.count(self.sku(number), level + number)

    def sell(self, *numbers: int) -> None:
        for number in numbers:
            self.stock.sell("eu", self.sku(number), 1)
            self.sold[("eu", self.sku(number))] += 1

    @staticmethod
    def sku(number: int) -> str:
        return f"SKU-{number:07d}"

    # ---- when it is over
    def quiet_webhooks(self, seconds: float = 120) -> None:
        def told() -> bool:
            return all(self.stock.summary(shop)["webhooks"]["pending"] == 0 for shop in SHOPS)

        wait_until(told, seconds, "Shopify has sent its webhooks")

    def quiet(self, seconds: float = 120) -> None:
        """Everything that Shopify told is settled."""
        self.quiet_webhooks(seconds)
        self.flow.drained(seconds)

    def shown(self, seconds: float = 90) -> None:
        """Every level in Shopify is what may be sold of what the warehouse has."""
        for sku, pieces in self.pieces.items():
            for shop in SHOPS:
                others = sum(sold for (at, of), sold in self.sold.items() if of == sku and at != shop)
                on_hand = pieces - others
                self.stock.shows(shop, sku, on_hand - self.sold[(shop, sku)], on_hand=on_hand, seconds=seconds)

    def held(self) -> set[str]:
        return {item["key"] for item in self.flow.admin("/admin/holds?limit=1000")["items"]}

    def differences(self, held: set[str]) -> list[str]:
        """Where the ERP says otherwise than Shopify, both asked now."""
        found = []
        documents, notes = self.flow.erp.orders(), self.flow.erp.credit_notes()
        for shop in SHOPS:
            for record in self.stock.shopify.control(f"shops/{shop}/orders"):
                body = record["body"]
                key = f"{shop}/{body['id']}"
                document = documents.pop(f"syncline.{shop}_order_{body['id']}", None)
                if key in held:
                    if document:
                        found.append(f"{key}: held, and stands in the ERP")
                    continue
                if document is None:
                    found.append(f"{key}: not in the ERP")
                    continue
                if (document["state"] == "cancel") != bool(body.get("cancelled_at")):
                    found.append(f"{key}: {document['state']}, cancelled_at {body.get('cancelled_at')}")
                total = Decimal(body["total_price"])
                if abs(Decimal(str(document["amount_total"])) - total) > Decimal("0.01") * len(body["line_items"]):
                    found.append(f"{key}: {document['amount_total']} in the ERP, {total} in Shopify")
                for refund in body.get("refunds", []):
                    if notes.pop(f"syncline.{shop}_refund_{refund['id']}", None) is None:
                        found.append(f"{key}: refund {refund['id']} has no credit note")
                state = record["metafields"].get("syncline.odoo-main_document")
                if state != document["name"]:
                    found.append(f"{key}: Shopify shows document {state}, the ERP has {document['name']}")
        found += [f"{name}: nobody ordered it" for name in documents] + [f"{name}: nobody refunded it" for name in notes]
        return found

    def agree(self, held: set[str] | None = None, seconds: float = 120) -> None:
        """Nothing is missing, nothing is there twice, and what waits is exactly `held`."""
        waits = held or set()
        try:
            wait_until(lambda: self.held() == waits and not self.differences(waits), seconds, "the ERP and Shopify agree", interval=1)
        except Exception as error:
            raise AssertionError("\n".join([f"held: {self.held() ^ waits}", *self.differences(waits)[:20]])) from error
        self.flow.compare(self.orders)
        self.shown()
        letters = self.flow.admin("/admin/dead-letters?limit=100")["items"]
        assert letters == [], letters

    # ---- the services, but for ingress
    def stop_services(self) -> None:
        for name, service in self.stack.services.items():
            if name != "ingress":
                service.process.stop()

    def start_services(self) -> None:
        start_what_ended(self.stack)


def with_tax(rate: str) -> dict[str, Any]:
    """The mapping with one more tax: {taxes: …}, as its percent names it."""
    known = mapping()
    ten = next(tax for tax in known["taxes"] if tax["country"] == "FR" and tax["rate"] == "10" and tax["included"])
    return {"taxes": [*known["taxes"], {"country": "FR", "rate": rate, "included": True, "tax": ten["tax"]}]}


def days_ago(days: float) -> datetime:
    return datetime.now(timezone.utc) - timedelta(days=days)
