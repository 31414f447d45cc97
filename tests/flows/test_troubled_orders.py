"""One order's trouble is its own: refused orders, locked customers, parked keys."""

from stack import wait_until
from support.settled import waiting_keys


def open_circuits(flow) -> float:
    return flow.export.metric("syncline_circuit_open")


def test_an_order_refused_by_the_erp_delays_no_other(flow):
    bad = flow.order()
    flow.erp.fault(kind="refuse_record", external_ids=[bad.external_id], message="The sandbox refuses this record.")
    others = [flow.order() for _ in range(60)]
    webhooks = [flow.sender.order_webhook("orders/create", order) for order in [*others[:30], bad, *others[30:]]]
    flow.sender.deliver_all(webhooks, threads=32)
    flow.exported(*others, seconds=20)
    flow.drained()
    letters = flow.admin("/admin/dead-letters")
    assert bad.key in str(letters) and open_circuits(flow) == 0
    flow.compare(others)
    assert flow.erp.order(bad) is None


def test_a_locked_customer_parks_only_that_customers_orders(flow):
    locked = flow.ids.order()
    first = flow.order(customer_id=locked)
    flow.place(first)
    flow.exported(first)
    rule = flow.erp.fault(kind="lock_record", external_ids=[f"syncline.eu_customer_{locked}"])
    waiting = [flow.order(customer_id=locked) for _ in range(3)]
    others = [flow.order() for _ in range(30)]
    flow.sender.deliver_all([flow.sender.order_webhook("orders/create", order) for order in [*waiting, *others]])
    flow.exported(*others, seconds=20)
    wait_until(
        lambda: {row[0] for row in waiting_keys(flow.stack, [order.key for order in waiting])} == {order.key for order in waiting},
        30,
        "the three orders are parked",
    )
    assert waiting_keys(flow.stack, [order.key for order in others]) == [] and open_circuits(flow) == 0
    flow.erp.control("DELETE", f"faults?id={rule}")
    flow.exported(*waiting, seconds=60)
    flow.settled([first, *waiting, *others], skipped={})


def test_events_of_a_parked_order_stay_in_sequence(flow):
    customer = flow.ids.order()
    flow.erp.fault(kind="lock_record", external_ids=[f"syncline.eu_customer_{customer}"])
    order = flow.order(customer_id=customer)
    order.lines[0].quantity = 2
    flow.place(order)
    wait_until(lambda: waiting_keys(flow.stack, [order.key]), 30, "the order is parked")
    refund = order.refund_body(flow.ids.refund(), {order.lines[0].id: 1})
    flow.refund(order, refund)
    newer = order.copy().touch()
    newer.lines[0].quantity = 5
    flow.update(newer)
    flow.drained()
    assert not flow.erp.credit_notes(f"syncline.eu_refund_{refund['id']}")
    flow.erp.heal()
    flow.exported(newer, seconds=60)
    flow.credited(order, refund, seconds=60)
    flow.settled([order])
    flow.compare([newer])


def test_a_parked_key_survives_a_restart(flow):
    customer = flow.ids.order()
    flow.erp.fault(kind="lock_record", external_ids=[f"syncline.eu_customer_{customer}"])
    order = flow.order(customer_id=customer)
    flow.place(order)
    wait_until(lambda: waiting_keys(flow.stack, [order.key]), 30, "the order is parked")
    assert flow.export.process.stop() == 0
    flow.erp.heal()
    flow.stack.restart(flow.export.name)
    flow.exported(order, seconds=60)
    flow.settled([order], skipped={})
