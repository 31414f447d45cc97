"""Refunds become credit notes, once, with the right amount."""

import pytest
from support.settled import skips


def paid_order(flow, **members):
    order = flow.order(shipping="4.90", **members)
    order.lines[0].quantity = 3
    order.lines[0].price = "19.99"
    flow.place(order)
    flow.exported(order)
    return order


@pytest.mark.parametrize("included", [True, False])
def test_a_refund_of_lines_and_shipping(flow, included):
    order = paid_order(flow, taxes_included=included)
    refund = order.refund_body(flow.ids.refund(), {order.lines[0].id: 2}, shipping="4.90")
    flow.refund(order, refund)
    note = flow.credited(order, refund)
    assert note["partner"]["external_id"] is not None and note["move_type"] == "out_refund"
    flow.settled([order], skipped={})


def test_a_refund_in_the_snapshot_and_as_a_fact_is_one_credit_note(flow):
    order = paid_order(flow)
    refund = order.refund_body(flow.ids.refund(), {order.lines[0].id: 1})
    flow.refund(order, refund)
    order.with_refund(refund)
    flow.update(order)
    flow.credited(order, refund)
    flow.settled([order])
    assert len(flow.erp.credit_notes("syncline.eu_refund_" + str(refund["id"]))) == 1
    flow.compare([order])  # The refunded units stay on the order.


def test_pending_money_is_a_hold_until_it_moved(flow):
    order = paid_order(flow)
    refund = order.refund_body(flow.ids.refund(), {order.lines[0].id: 1}, status="pending")
    flow.refund(order, refund)
    flow.settled([order], holds={order.key: "refund_money_pending"})
    assert not flow.erp.credit_notes("syncline.eu_refund_" + str(refund["id"]))
    flow.sender.deliver(flow.sender.webhook("eu", "order_transactions/create", order.transaction_body(refund, "success")))
    flow.credited(order, refund)
    flow.settled([order])


def test_failed_money_is_visible_as_a_hold(flow):
    order = paid_order(flow)
    refund = order.refund_body(flow.ids.refund(), {order.lines[0].id: 1}, status="failure")
    flow.refund(order, refund)
    flow.settled([order], holds={order.key: "refund_money_failed"})


def test_a_waiting_refund_keeps_no_snapshot_away(flow):
    order = paid_order(flow, financial_status="pending")
    refund = order.refund_body(flow.ids.refund(), {order.lines[0].id: 1}, status="pending")
    flow.refund(order, refund)
    flow.settled([order], holds={order.key: "refund_money_pending"})
    order.touch().lines[0].quantity = 4
    flow.update(order)
    flow.exported(order)
    assert skips(flow.stack, [order.key]) == {}
