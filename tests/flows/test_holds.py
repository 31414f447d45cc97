"""What waits for a person or a mapping, and goes on when it has it."""

import pytest
from stack import wait_until
from support.mapping import mapping, mapping_text


def test_a_missing_tax_holds_all_its_orders_until_the_mapping_has_it(flow):
    orders = [flow.order() for _ in range(5)]
    for order in orders:
        order.lines[0].rate = "0.033"
        flow.place(order)
    flow.settled(orders, holds={order.key: "tax_unmapped" for order in orders}, skipped={})
    assert all(flow.erp.order(order) is None for order in orders)
    known = mapping()
    twenty = next(tax for tax in known["taxes"] if tax["country"] == "FR" and tax["rate"] == "10" and tax["included"])
    added = {"country": "FR", "rate": "3.3", "included": True, "tax": twenty["tax"]}
    flow.stack.mapping_file().write_text(mapping_text(taxes=[*known["taxes"], added]))
    try:
        # The total differs now (10 % instead of 3.3 %, inside the price it does not), so the documents come.
        for order in orders:
            wait_until(lambda order=order: flow.erp.order(order) is not None, 30, f"{order.key} is exported after the mapping was added")
        flow.settled(orders, skipped={})
    finally:
        flow.stack.mapping_file().write_text(mapping_text())


def test_totals_that_differ_are_a_hold_with_both_figures(flow):
    order = flow.order()
    total = order.total() + 3
    order.extra = {"total_price": f"{total:.2f}", "total_price_set": order.money(total)}
    flow.place(order)
    flow.settled([order], holds={order.key: "totals_differ"}, skipped={})
    assert flow.erp.order(order)["state"] == "draft"
    shown = str(flow.admin("/admin/holds"))
    assert f"{total:.2f}".rstrip("0").rstrip(".") in shown and order.key in shown
    flow.admin(f"/admin/holds/{order.key}/override", "POST", {"code": "totals_differ", "reason": "checked by hand"})
    wait_until(lambda: flow.erp.order(order)["state"] == "sale", 20, "the order is confirmed after the override")
    flow.settled([order], skipped={})


def test_a_newer_event_settles_a_hold(flow):
    order = flow.order()
    order.lines[0].rate = "0.034"
    flow.place(order)
    flow.settled([order], holds={order.key: "tax_unmapped"})
    order.touch().lines[0].rate = "0.2"
    flow.update(order)
    flow.exported(order)
    flow.settled([order])


def test_an_unknown_product_is_a_hold(flow):
    order = flow.order()
    order.lines[0].sku = "NO-SUCH-SKU"
    flow.place(order)
    flow.settled([order], holds={order.key: "product_unmapped"}, skipped={})


def test_a_delivered_order_is_not_changed(flow):
    order = flow.order()
    flow.place(order)
    flow.exported(order)
    for picking in flow.erp.call("stock.picking", "search_read", domain=[["sale_id", "=", flow.erp.order(order)["id"]]], fields=["id"]):
        flow.erp.call("stock.picking", "button_validate", ids=[picking["id"]])
    before = flow.erp.order(order)
    changed = order.copy().touch()
    changed.lines[0].quantity = 3
    flow.update(changed)
    flow.settled([order], holds={order.key: "document_delivered"}, skipped={})
    assert flow.erp.order(order)["lines"] == before["lines"]


def test_a_vanished_document_is_not_created_again(flow):
    order = flow.order(financial_status="pending")
    flow.place(order)
    flow.exported(order)
    flow.erp.call("sale.order", "unlink", ids=[flow.erp.order(order)["id"]])
    order.touch().lines[0].quantity = 2
    flow.update(order)
    flow.settled([order], holds={order.key: "document_vanished"}, skipped={})
    assert flow.erp.order(order) is None


@pytest.mark.parametrize("members, reason", [({"test": True}, "test_order"), ({"source": "pos"}, "pos_order")])
def test_orders_excluded_by_rule_are_counted_skips(flow, members, reason):
    order = flow.order(**members)
    flow.place(order)
    flow.settled([order], skipped={reason: 1})
    assert flow.erp.order(order) is None
