"""Looks into the sandbox ERP, and comparison of its documents with orders, line by line."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from .orders import Order


class Erp:
    """The control door of one sandbox Odoo."""

    def __init__(self, url: str) -> None:
        self.url = url

    def control(self, method: str, path: str, body: Any = None, timeout: float = 60) -> Any:
        request = urllib.request.Request(f"{self.url}/_sandbox/{path}", data=None if body is None else json.dumps(body).encode(), method=method)
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return json.load(answer)

    def up(self) -> bool:
        try:
            return bool(self.control("GET", "health", timeout=2))
        except OSError:
            return False

    def fault(self, **rule: Any) -> int:
        return self.control("POST", "faults", rule)["ids"][0]

    def heal(self) -> None:
        self.control("DELETE", "faults")

    def fault_struck(self, id: int) -> int:
        return next(rule["struck"] for rule in self.control("GET", "faults")["rules"] if rule["id"] == id)

    def settings(self, **values: Any) -> None:
        self.control("POST", "settings", values)

    def counters(self) -> dict[str, Any]:
        return self.control("GET", "counters")

    def orders(self, prefix: str = "syncline.") -> dict[str, dict[str, Any]]:
        return {order["external_id"]: order for order in self.control("GET", f"orders?prefix={prefix}")}

    def order(self, order: Order) -> dict[str, Any] | None:
        return self.orders(order.external_id).get(order.external_id)

    def credit_notes(self, prefix: str = "syncline.") -> dict[str, dict[str, Any]]:
        return {note["external_id"]: note for note in self.control("GET", f"credit_notes?prefix={prefix}")}

    def summary(self) -> dict[str, Any]:
        return self.control("GET", "summary")

    def call(self, model: str, method: str, **arguments: Any) -> Any:
        """A call through the real door, for what a person would do in the ERP."""
        request = urllib.request.Request(
            f"{self.url}/json/2/{model}/{method}",
            data=json.dumps(arguments).encode(),
            headers={"Authorization": "bearer sandbox-key", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


def differences(order: Order, document: dict[str, Any] | None) -> list[str]:
    """What the document says otherwise than the order; empty when every line agrees."""
    if document is None:
        return [f"{order.key}: no document"]
    found = []

    def check(what: str, actual: Any, expected: Any) -> None:
        if actual != expected:
            found.append(f"{order.key}: {what} is {actual!r}, should be {expected!r}")

    check("state", document["state"], order.expected_state())
    check("reference", document["client_order_ref"], order.name)
    check("date", document["date_order"], order.expected_date())
    check("currency", document["currency"], order.currency)
    check("customer", (document["partner"] or {}).get("external_id"), f"syncline.{order.shop}_customer_{order.customer_id}")
    standing = {line["external_id"]: line for line in document["lines"] if not line["display_type"] and Decimal(str(line["quantity"])) != 0}
    expected = order.expected_lines()
    extra = {name for name in standing if not str(name).endswith("_rounding")} - set(expected)
    check("lines that nobody ordered", sorted(map(str, extra)), [])
    for name, (sku, quantity, price, taxes) in expected.items():
        line = standing.get(name)
        if line is None:
            found.append(f"{order.key}: line {name} is missing")
            continue
        actual = (line["sku"], Decimal(str(line["quantity"])), Decimal(str(line["price_unit"])), line["taxes"])
        check(f"line {name}", actual, (sku, Decimal(quantity), price, taxes))
    allowance = Decimal("0.01") * order.tax_lines()
    wanted = order.total() - sum((Decimal(line.price) * line.removed for line in order.lines), Decimal(0))
    if abs(Decimal(str(document["amount_total"])) - wanted) > allowance:
        found.append(f"{order.key}: total is {document['amount_total']}, should be {wanted} ± {allowance}")
    if document["state"] == "sale":
        open_transfers = [picking for picking in document["pickings"] if picking["state"] not in ("done", "cancel")]
        if len(open_transfers) > 1:
            found.append(f"{order.key}: {len(open_transfers)} open transfers")
    return found


def compare_all(erp: Erp, orders: Iterable[Order]) -> None:
    """Every order is exactly one document that says what it says; no document has a twin."""
    documents = erp.orders()
    wrong = [line for order in orders for line in differences(order, documents.get(order.external_id))]
    assert not wrong, f"{len(wrong)} differences:\n" + "\n".join(wrong[:20])
    no_twins(erp)


def no_twins(erp: Erp) -> None:
    """What exactly-once forbids anywhere in the ERP."""
    summary = erp.summary()
    assert summary["orders"]["without_external_id"] == 0
    assert summary["orders"]["repeated_reference"] == []
    assert summary["orders"]["with_several_open_transfers"] == []
    assert summary["lines_without_external_id"] == 0
    assert summary["account_moves"]["without_external_id"] == 0
    assert summary["partners"]["without_external_id"] == 0
    assert summary["partners"]["repeated_email"] == []


def credit_note_differences(order: Order, refund: dict[str, Any], note: dict[str, Any] | None) -> list[str]:
    if note is None:
        return [f"{order.key}: refund {refund['id']} has no credit note"]
    found = []
    if note["state"] != "posted":
        found.append(f"{order.key}: credit note {note['external_id']} is {note['state']}")
    money = Decimal(refund["transactions"][0]["amount"])
    allowance = Decimal("0.01") * max(1, len(refund["refund_line_items"]) + len(refund["order_adjustments"]))
    if abs(Decimal(str(note["amount_total"])) - money) > allowance:
        found.append(f"{order.key}: credit note {note['external_id']} is {note['amount_total']}, should be {money}")
    return found


def refund_name(order: Order, refund: dict[str, Any]) -> str:
    return f"syncline.{order.shop}_refund_{refund['id']}"
