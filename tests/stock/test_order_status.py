"""What became of an order in the ERP stands at the order in Shopify, and the webhook that follows our own write ends there."""

import time

import pytest
from stack import wait_until
from support.mapping import mapping, mapping_text


class Shown:
    """Orders that stand in the sandbox Shopify, as a shop would have them, and what it shows of them."""

    def __init__(self, stock) -> None:
        self.stock = stock
        self.flow = stock.flow
        self.shopify = stock.shopify

    def place(self, order) -> None:
        """The order stands in Shopify, which tells ingress itself."""
        self.shopify.control(f"shops/{order.shop}/orders/import", "POST", {"body": order.body(), "topics": ["orders/create"]})

    def order(self, order) -> dict:
        return self.shopify.control(f"shops/{order.shop}/orders/{order.id}")

    def fields(self, order, connection: str = "odoo-main") -> dict[str, str]:
        start = f"syncline.{connection}_"
        return {key.removeprefix(start): value for key, value in self.order(order)["metafields"].items() if key.startswith(start)}

    def tags(self, order) -> set[str]:
        return {tag.strip() for tag in (self.order(order)["body"].get("tags") or "").split(",") if tag.strip()}

    def comes(self, order, seconds: float = 40, *, tags: set[str] | None = None, **fields: str) -> None:
        """Waits until Shopify shows that, and names what it shows instead."""

        def right() -> bool:
            shown = self.fields(order)
            return all(shown.get(name) == value for name, value in fields.items()) and (tags is None or self.tags(order) == tags)

        try:
            wait_until(right, seconds, f"{order.key} in Shopify", interval=0.2)
        except Exception as error:
            raise AssertionError(f"{order.key}: wanted {fields} {tags}; Shopify shows {self.fields(order)} {self.tags(order)}") from error

    def writes(self) -> int:
        calls = self.shopify.control("counters")["calls"]
        return sum(calls.get(name, {"calls": 0})["calls"] for name in ("SetMetafields", "AddTags", "RemoveTags"))

    def quiet(self, seconds: float = 6) -> None:
        """Nothing more is written, although every webhook of our own writes has come back."""

        def told() -> bool:
            return all(self.shopify.control(f"shops/{shop.alias}/webhooks/counts")["pending"] == 0 for shop in self.stock.stack.shops)

        wait_until(told, 30, "Shopify has sent its webhooks")
        self.flow.drained()
        before = self.writes(), self.erp_writes()
        time.sleep(seconds)
        assert (self.writes(), self.erp_writes()) == before

    def erp_writes(self) -> int:
        calls = self.flow.erp.counters()["calls"]
        return sum(entry["calls"] for name, entry in calls.items() if name.split(".")[-1] in ("load", "write", "action_confirm", "action_cancel"))

    @property
    def service(self):
        return self.stock.stack.services["order-status/0"]


@pytest.fixture
def shown(stock):
    yield Shown(stock)
    stock.flow.erp.heal()


def test_an_exported_order_shows_its_document_once(shown):
    orders = [shown.flow.order("eu"), shown.flow.order("us")]
    for order in orders:
        shown.place(order)
    for order in orders:
        shown.comes(order, tags={"syncline-exported"}, state="confirmed", connection="odoo-main")
        document = shown.flow.erp.order(order)
        assert shown.fields(order)["document"] == document["name"]
        assert shown.fields(order)["reference"] == str(document["id"])
        assert shown.fields(order)["changed_at"].endswith("Z")
    shown.quiet()
    # Somebody else's change of the order is one more snapshot, and no news.
    for _ in range(3):
        shown.shopify.control(f"shops/eu/orders/{orders[0].id}/touch", "POST", {})
    shown.quiet()


def test_a_hold_is_a_tag_until_the_mapping_has_the_tax(shown):
    order = shown.flow.order()
    order.lines[0].rate = "0.037"
    shown.place(order)
    shown.comes(order, tags={"syncline-held"}, state="held")
    assert shown.fields(order)["reason"].startswith("tax:FR/3.7")
    shown.quiet()
    known = mapping()
    ten = next(tax for tax in known["taxes"] if tax["country"] == "FR" and tax["rate"] == "10" and tax["included"])
    added = {"country": "FR", "rate": "3.7", "included": True, "tax": ten["tax"]}
    shown.stock.stack.mapping_file().write_text(mapping_text(taxes=[*known["taxes"], added]))
    try:
        shown.comes(order, tags={"syncline-exported"}, state="confirmed", reason="none")
    finally:
        shown.stock.stack.mapping_file().write_text(mapping_text())
    shown.quiet()


def test_a_hold_that_ends_without_an_export_takes_its_tag_along(shown):
    order = shown.flow.order()
    order.lines[0].rate = "0.038"
    shown.place(order)
    shown.comes(order, tags={"syncline-held"}, state="held")
    shown.shopify.control(f"shops/eu/orders/{order.id}/cancel", "POST", {})
    shown.comes(order, tags=set(), state="not_exported", reason="none", seconds=90)
    shown.quiet()


def test_what_people_do_in_the_erp_is_followed(shown):
    order = shown.flow.order(financial_status="pending")
    shown.place(order)
    shown.comes(order, state="exported")
    erp = shown.flow.erp
    document = erp.order(order)["id"]
    erp.call("sale.order", "action_confirm", ids=[document])
    shown.comes(order, state="confirmed")
    for picking in erp.call("stock.picking", "search_read", domain=[["sale_id", "=", document]], fields=["id"]):
        erp.call("stock.picking", "button_validate", ids=[picking["id"]])
    shown.comes(order, state="shipped")
    wizard = erp.call("sale.advance.payment.inv", "create", vals_list=[{"advance_payment_method": "delivered", "sale_order_ids": [[6, 0, [document]]]}])
    erp.call("sale.advance.payment.inv", "create_invoices", ids=wizard)
    for invoice in erp.call("sale.order", "read", ids=[document], fields=["invoice_ids"])[0]["invoice_ids"]:
        erp.call("account.move", "action_post", ids=[invoice])
    shown.comes(order, state="invoiced")
    shown.quiet()


def test_a_document_cancelled_by_hand_is_shown(shown):
    order = shown.flow.order(financial_status="pending")
    shown.place(order)
    shown.comes(order, state="exported")
    shown.flow.erp.call("sale.order", "action_cancel", ids=[shown.flow.erp.order(order)["id"]])
    shown.comes(order, state="cancelled")
    shown.quiet()


def test_shopify_away_for_a_while(shown):
    shown.shopify.control("faults", "POST", [{"kind": "http_error", "status": 503, "operation": name} for name in ("SetMetafields", "AddTags", "RemoveTags")])
    orders = [shown.flow.order(shop) for shop in ("eu", "us") for _ in range(8)]
    for order in orders:
        shown.place(order)
    shown.flow.exported(*orders)
    shown.flow.drained()
    time.sleep(5)
    assert all(not shown.fields(order) for order in orders)
    shown.shopify.control("faults", "DELETE")
    for order in orders:
        shown.comes(order, seconds=90, tags={"syncline-exported"}, state="confirmed")
    assert shown.service.metric("syncline_dead_letters_total") == 0


def test_webhooks_repeated_and_out_of_order(shown):
    """The webhooks of our own writes among them: they come back late and several times, and cause nothing."""
    shown.shopify.control("faults", "POST", [{"kind": "webhook_duplicate", "copies": 2, "jitter_ms": 3000}, {"kind": "webhook_delay", "ms": 0, "jitter_ms": 2000, "probability": 0.5}])
    orders = [shown.flow.order(shop) for shop in ("eu", "us") for _ in range(6)]
    for order in orders:
        shown.place(order)
    for order in orders:
        shown.comes(order, seconds=60, tags={"syncline-exported"}, state="confirmed")
    shown.quiet(8)
    for order in orders:
        assert shown.fields(order)["document"] == shown.flow.erp.order(order)["name"]


@pytest.mark.kills
def test_killed_in_the_middle(shown):
    orders = [shown.flow.order(shop) for shop in ("eu", "us") for _ in range(15)]
    for order in orders[:15]:
        shown.place(order)
    wait_until(lambda: any(shown.fields(order) for order in orders[:15]), 30, "the first order is shown", interval=0.05)
    shown.service.process.kill()
    for order in orders[15:]:
        shown.place(order)
    shown.stock.stack.restart("order-status/0")
    for order in orders:
        shown.comes(order, seconds=120, tags={"syncline-exported"}, state="confirmed")
    shown.quiet()


def test_an_order_that_is_gone_stops_nothing(shown):
    gone, there = shown.flow.order(), shown.flow.order()
    shown.flow.place(gone)  # Known to ingress and the ERP; Shopify does not have it.
    shown.place(there)
    shown.comes(there, state="confirmed")
    shown.flow.exported(gone)
    wait_until(lambda: shown.service.metric("syncline_events_total", outcome="skipped", code="order_not_found") > 0, 30, "it is skipped")
    assert shown.service.metric("syncline_dead_letters_total") == 0
