"""The same webhook 1, 3 and 50 times at once: one document."""

import pytest
from support.shopify import at_once


@pytest.mark.parametrize("times", [1, 3, 50])
def test_one_webhook_many_times_is_one_document(flow, times):
    order = flow.order(shipping="4.90")
    webhook = flow.sender.order_webhook("orders/create", order)
    replies = at_once(times, lambda _: flow.sender.post(webhook))
    assert [reply.status for reply in replies] == [200] * times
    flow.exported(order)
    flow.settled([order], skipped={})
    flow.compare([order])


@pytest.mark.parametrize("times", [3, 50])
def test_one_refund_many_times_is_one_credit_note(flow, times):
    order = flow.order()
    order.lines[0].quantity = 2
    flow.place(order)
    refund = order.refund_body(flow.ids.refund(), {order.lines[0].id: 1})
    webhook = flow.sender.webhook("eu", "refunds/create", refund)
    at_once(times, lambda _: flow.sender.deliver(webhook))
    flow.credited(order, refund)
    flow.settled([order], skipped={})
    assert len(flow.erp.credit_notes(f"syncline.eu_refund_{refund['id']}")) == 1


def test_a_hundred_first_orders_of_one_customer_make_one_customer(flow):
    customer = flow.ids.order()
    orders = [flow.order(customer_id=customer) for _ in range(100)]
    webhooks = [flow.sender.order_webhook("orders/create", order) for order in orders]
    flow.sender.deliver_all(webhooks, threads=50)
    flow.exported(*orders)
    flow.settled(orders, skipped={})
    flow.compare(orders)
