"""Compares what the ERP holds at the end with what loadgen says must stand there, line by line."""

from __future__ import annotations

import json
import urllib.request
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from stack.process import StackError


def erp(url: str, path: str, method: str = "GET", body: Any = None) -> Any:
    request = urllib.request.Request(f"{url}/_sandbox/{path}", data=None if body is None else json.dumps(body).encode(), method=method)
    with urllib.request.urlopen(request, timeout=300) as answer:
        return json.load(answer)


def _differences(order: dict[str, Any], document: dict[str, Any] | None) -> Iterable[str]:
    name = f"{order['shop']}/{order['order_id']}"
    if document is None:
        yield f"{name}: no document"
        return
    states = {"confirmed": "sale", "quotation": "draft", "cancelled": "cancel"}
    if document["state"] != states[order["state"]]:
        yield f"{name}: state {document['state']} instead of {order['state']}"
    if document["currency"] != order["currency"]:
        yield f"{name}: currency {document['currency']}"
    key = f"syncline.{order['shop']}_order_{order['order_id']}"
    found = {line["external_id"].removeprefix(f"{key}_"): line for line in document["lines"] if not line["display_type"] and Decimal(str(line["quantity"]))}
    found.pop("rounding", None)
    if order["state"] != "cancelled":
        expected = {line["key"]: line for line in order["lines"]}
        if found.keys() != expected.keys():
            yield f"{name}: lines {sorted(found.keys() ^ expected.keys())} differ"
            return
        for line_key, line in expected.items():
            actual = (Decimal(str(found[line_key]["quantity"])), Decimal(str(found[line_key]["price_unit"])))
            if actual != (Decimal(str(line["quantity"])), Decimal(line["unit_price"])):
                yield f"{name}: {line_key} is {actual}"
        allowance = Decimal("0.01") * sum(max(1, len(line["taxes"])) for line in order["lines"])
        if abs(Decimal(str(document["amount_total"])) - Decimal(order["total"])) > allowance:
            yield f"{name}: total {document['amount_total']} instead of {order['total']}"


def compare(url: str, expectations: Iterable[str]) -> Counter[str]:
    """StackError naming the first differences; else how many orders ended as what."""
    fates: Counter[str] = Counter()
    wrong: list[str] = []
    # In slices of ten thousand neighbouring ids: the whole ERP does not fit into one answer.
    slices: dict[str, list[dict[str, Any]]] = {}
    for text in expectations:
        order = json.loads(text)
        if "summary" not in order:
            slices.setdefault(f"syncline.{order['shop']}_order_{order['order_id'] // 10_000}", []).append(order)
    documents_found = 0
    for prefix, orders in slices.items():
        documents = {document["external_id"]: document for document in erp(url, f"orders?prefix={prefix}")}
        documents_found += len(documents)
        for order in orders:
            fates[order["fate"] if not order["reason"] else f"{order['fate']}: {order['reason']}"] += 1
            document = documents.pop(f"syncline.{order['shop']}_order_{order['order_id']}", None)
            if order["fate"] == "document" and (document is not None or not order["absent_allowed"]):
                wrong.extend(_differences(order, document))
            elif order["fate"] == "skipped" and document is not None:
                wrong.append(f"{order['shop']}/{order['order_id']}: a document although it is excluded")
        wrong.extend(f"{name}: a document of no order" for name in documents)
    summary = erp(url, "summary")
    if summary["orders"]["total"] != documents_found:
        wrong.append(f"summary: {summary['orders']['total']} orders in the ERP, {documents_found} of ours")
    for name in ("without_external_id", "repeated_reference"):
        if summary["orders"][name]:
            wrong.append(f"summary: orders {name}: {summary['orders'][name]}")
    if wrong:
        raise StackError(f"{len(wrong)} differences between orders and ERP documents:\n" + "\n".join(wrong[:15]))
    return fates
