"""Replay of a dead letter: only its group sees it, twice pressed = once, no older snapshot over a newer one, a refund is applied."""

from stack import wait_until
from support.letters import letters, replay
from support.settled import Progress


def refused(flow, order) -> dict:
    """Sends the order so that it ends as a dead letter, and heals the ERP."""
    rule = flow.erp.fault(kind="refuse_record", external_ids=[order.external_id])
    flow.place(order)
    wait_until(lambda: letters(flow, order.key), 30, f"{order.key} is a dead letter")
    flow.erp.control("DELETE", f"faults?id={rule}")
    [letter] = letters(flow, order.key)
    return letter


def test_twice_pressed_is_once(flow):
    order = flow.order()
    letter = refused(flow, order)
    published = Progress(flow.stack).end()
    replay(flow, letter, "press-1")
    replay(flow, letter, "press-1")
    flow.exported(order)
    flow.settled([order])
    flow.compare([order])
    # No other consumer saw anything: nothing was published to the topic again.
    assert Progress(flow.stack).end() == published


def test_an_older_snapshot_is_not_applied_over_a_newer_one(flow):
    order = flow.order(financial_status="pending")
    letter = refused(flow, order)
    newer = order.copy().touch()
    newer.lines[0].quantity = 7
    flow.update(newer)
    flow.exported(newer)
    replay(flow, letter, "old")
    flow.settled([newer])
    flow.compare([newer])


def test_a_refund_is_applied_whenever_it_is_replayed(flow):
    order = flow.order()
    order.lines[0].quantity = 2
    flow.place(order)
    flow.exported(order)
    refund = order.refund_body(flow.ids.refund(), {order.lines[0].id: 1})
    rule = flow.erp.fault(kind="refuse_record", model="account.move", external_ids=[f"syncline.eu_refund_{refund['id']}"])
    flow.refund(order, refund)
    wait_until(lambda: letters(flow, order.key), 30, "the refund is a dead letter")
    flow.erp.control("DELETE", f"faults?id={rule}")
    newer = order.copy().touch()
    flow.update(newer)
    [letter] = letters(flow, order.key)
    replay(flow, letter, "refund")
    flow.credited(order, refund)
    flow.settled([order])
