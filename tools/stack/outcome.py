"""What became of a generated day of orders, held against what the seed fixes: every document line by line, every hold, skip and dead letter."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from .process import StackError
from .stack import Stack

STATES = {"confirmed": "sale", "quotation": "draft", "cancelled": "cancel"}


@dataclass
class Expectation:
    """The output of `loadgen expect`: one entry an order, and the summary."""

    orders: list[dict]
    summary: dict

    @staticmethod
    def of(loadgen: Path, options: Sequence[str]) -> Expectation:
        done = subprocess.run([str(loadgen), "expect", *options], capture_output=True, text=True)
        if done.returncode != 0:
            raise StackError(f"loadgen expect: {done.stderr.strip()}")
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        return Expectation(rows[:-1], rows[-1]["summary"])

    def fates(self) -> Counter:
        return Counter(order["fate"] for order in self.orders)


@dataclass
class Findings:
    documents: int = 0
    lines: int = 0
    credit_notes: int = 0
    differences: list[str] = field(default_factory=list)

    def check(self, what: str, found: object, wanted: object) -> None:
        if found != wanted:
            self.differences.append(f"{what}: is {found!r}, should be {wanted!r}")


def sandbox(stack: Stack, path: str, connection: str = "odoo-main") -> object:
    with urllib.request.urlopen(f"{stack.odoo_url(connection)}/_sandbox/{path}", timeout=120) as answer:
        return json.load(answer)


def compare(stack: Stack, expected: Expectation, connection: str = "odoo-main") -> Findings:
    """Holds every expected order against the documents in the sandbox ERP."""
    findings = Findings()
    documents = {entry["external_id"]: entry for entry in sandbox(stack, "orders?prefix=syncline.", connection)}
    notes = {entry["external_id"]: entry for entry in sandbox(stack, "credit_notes?prefix=syncline.", connection)}
    for order in expected.orders:
        name = f"syncline.{order['shop']}_order_{order['order_id']}"
        document = documents.pop(name, None)
        if order["state"] in ("", "none"):
            if document is not None and not order["absent_allowed"]:
                findings.differences.append(f"{name}: stands in the ERP, but is {order['fate']} ({order['reason']})")
            continue
        if document is None:
            if not order["absent_allowed"]:
                findings.differences.append(f"{name}: is missing in the ERP")
            continue
        findings.documents += 1
        _compare_document(findings, name, order, document)
        for refund in order["refunds"]:
            if refund["fate"] == "credit_note":
                note = notes.get(f"syncline.{order['shop']}_refund_{refund['refund_id']}")
                _compare_credit_note(findings, name, refund, note)
    for name in documents:
        findings.differences.append(f"{name}: nobody ordered it")
    summary = sandbox(stack, "summary", connection)
    findings.check("orders without an external id", summary["orders"]["without_external_id"], 0)
    findings.check("orders with the same reference", summary["orders"]["repeated_reference"], [])
    findings.check("customers with the same e-mail", summary["partners"]["repeated_email"], [])
    return findings


def compare_waiting(stack: Stack, expected: Expectation, findings: Findings) -> None:
    """Holds and dead letters equal the list that the seed fixes, key by key; nothing is parked."""
    wanted: Counter = Counter()
    for order in expected.orders:
        key = f"{order['shop']}/{order['order_id']}"
        if order["fate"] == "held":
            wanted[(key, order["reason"], order["waits_for"])] += 1
        for refund in order["refunds"]:
            if refund["fate"] == "held":
                wanted[(key, refund["reason"], "")] += 1
    held: Counter = Counter()
    for service in stack.exports():
        for entry in stack.admin(service, "/admin/holds?limit=100000")["items"]:
            held[(entry["key"], entry["code"], entry["waits_for"])] += 1
        for entry in stack.admin(service, "/admin/parked?limit=100000")["items"]:
            findings.differences.append(f"{entry['key']}: parked ({entry['code']}: {entry['reason']})")
        for entry in stack.admin(service, "/admin/dead-letters?limit=100000")["items"]:
            findings.differences.append(f"{entry['key']}: dead ({entry['code']}: {entry['reason']})")
        break  # Every replica gives the same answer.
    for entry in sorted(set(wanted) | set(held)):
        if min(1, held[entry]) != wanted[entry]:
            findings.differences.append(f"{entry[0]}: held for {entry[1]} {entry[2]} {held[entry]} times, should be {wanted[entry]}")


def _compare_document(findings: Findings, name: str, order: dict, document: dict) -> None:
    findings.check(f"{name}: state", document["state"], STATES.get(order["state"], order["state"]))
    findings.check(f"{name}: currency", document["currency"], order["currency"])
    standing = {line["external_id"]: line for line in document["lines"] if not line["display_type"] and Decimal(str(line["quantity"])) != 0}
    prefix = f"{name}_"
    wanted = {prefix + line["key"]: line for line in order["lines"] if Decimal(str(line["quantity"])) != 0}
    extra = sorted(str(key) for key in set(standing) - set(wanted) if not str(key).endswith("_rounding"))
    findings.check(f"{name}: lines that nobody ordered", extra, [])
    for key, line in wanted.items():
        found = standing.get(key)
        if found is None:
            findings.differences.append(f"{name}: line {key} is missing")
            continue
        findings.lines += 1
        actual = (Decimal(str(found["quantity"])), Decimal(str(found["price_unit"])))
        findings.check(f"{name}: {key}: quantity and price", actual, (Decimal(str(line["quantity"])), Decimal(line["unit_price"])))
    allowance = Decimal("0.01") * max(1, sum(len(line["taxes"]) for line in order["lines"]))
    if abs(Decimal(str(document["amount_total"])) - Decimal(order["total"])) > allowance:
        findings.differences.append(f"{name}: total is {document['amount_total']}, should be {order['total']} within {allowance}")


def _compare_credit_note(findings: Findings, name: str, refund: dict, note: dict | None) -> None:
    if note is None:
        findings.differences.append(f"{name}: refund {refund['refund_id']} has no credit note")
        return
    findings.credit_notes += 1
    findings.check(f"{name}: credit note {note['external_id']}", note["state"], "posted")
    allowance = Decimal("0.01") * max(1, len(refund.get("lines", [])) + 1)
    if abs(Decimal(str(note["amount_total"])) - Decimal(refund["total"])) > allowance:
        findings.differences.append(f"{name}: credit note {note['external_id']} is {note['amount_total']}, should be {refund['total']}")
