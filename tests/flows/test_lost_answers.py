"""Answer lost after the ERP committed, in 10 % of calls: no duplicate order, customer or credit note."""

import random

from support.shopify import shuffled

ORDERS = 120


def test_one_call_in_ten_loses_its_answer(flow):
    chance = random.Random(11)
    customers = [flow.ids.order() for _ in range(40)]
    orders, refunds, webhooks = [], [], []
    for _ in range(ORDERS):
        order = flow.order(customer_id=chance.choice(customers))
        order.lines[0].quantity = 2
        webhooks.append(flow.sender.order_webhook("orders/create", order))
        if chance.random() < 0.2:
            refund = order.refund_body(flow.ids.refund(), {order.lines[0].id: 1})
            refunds.append((order, refund))
            webhooks.append(flow.sender.webhook("eu", "refunds/create", refund))
        orders.append(order)
    rule = flow.erp.fault(kind="answer_lost", probability=0.1, seed=5)
    flow.sender.deliver_all(shuffled(3, webhooks, duplicates=0))
    flow.settled(orders, seconds=180, skipped={})
    assert flow.erp.fault_struck(rule) > 0
    flow.erp.heal()
    flow.compare(orders)
    for order, refund in refunds:
        flow.credited(order, refund)
