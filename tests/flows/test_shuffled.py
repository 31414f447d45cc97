"""All webhooks of 1,000 orders of two shops, shuffled, a tenth of them twice, with equal order ids in both shops."""

import random

from support.erp import credit_note_differences, differences, no_twins, refund_name
from support.shopify import shuffled

ORDERS_PER_SHOP = 500


def life(flow, shop: str, id: int, chance: random.Random):
    """One order's webhooks in the order of time, its final state and its refund if it has one."""
    order = flow.order(shop, id=id, country="FR" if shop == "eu" else "US", taxes_included=shop == "eu", financial_status="pending")
    order.lines[0].rate = "0.2" if shop == "eu" else "0.08"
    order.shipping_rate = order.lines[0].rate
    order.lines[0].quantity = chance.randint(1, 4)
    order.lines[0].price = f"{chance.randint(100, 9999) / 100:.2f}"
    order.shipping = chance.choice(["0.00", "4.90"])
    webhooks = [flow.sender.order_webhook("orders/create", order)]
    order.touch().financial_status = "paid"
    webhooks.append(flow.sender.order_webhook("orders/paid", order))
    webhooks.append(flow.sender.order_webhook("orders/updated", order))
    refund = None
    kind = chance.random()
    if kind < 0.1:
        refund = order.refund_body(flow.ids.refund(), {order.lines[0].id: 1})
        order.with_refund(refund)
        webhooks.append(flow.sender.webhook(shop, "refunds/create", refund))
        webhooks.append(flow.sender.order_webhook("orders/updated", order))
    elif kind < 0.15:
        order.cancel()
        webhooks.append(flow.sender.order_webhook("orders/cancelled", order))
    return order, webhooks, refund


def test_shuffled_webhooks_end_as_in_order(flow):
    chance = random.Random(20261120)
    lives = []
    for _ in range(ORDERS_PER_SHOP):
        id = flow.ids.order()
        lives += [life(flow, shop, id, chance) for shop in ("eu", "us")]
    flow.sender.deliver_all(shuffled(7, [webhook for _, webhooks, _ in lives for webhook in webhooks]), threads=16)
    orders = [order for order, _, _ in lives]
    flow.settled(orders, seconds=120)
    documents, notes = flow.erp.orders(), flow.erp.credit_notes()
    wrong = []
    for order, _, refund in lives:
        document = documents.get(order.external_id)
        if order.cancelled_at and document is None:
            continue  # Its cancellation came first: nothing to create, by rule.
        wrong += differences(order, document)
        if refund:
            wrong += credit_note_differences(order, refund, notes.get(refund_name(order, refund)))
    assert not wrong, f"{len(wrong)} differences:\n" + "\n".join(wrong[:20])
    assert len([order for order in orders if not order.cancelled_at and order.external_id in documents]) == len(
        [order for order in orders if not order.cancelled_at]
    )
    no_twins(flow.erp)
