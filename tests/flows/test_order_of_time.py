"""What came when decides, not what arrives when."""

from datetime import timedelta

import pytest
from support.settled import held


def two_edits(flow, *, apart_ms: int):
    """Two snapshots of one second: the same updated_at, Triggered-At some milliseconds apart."""
    order = flow.order(financial_status="pending")
    flow.place(order)
    flow.exported(order)
    order.touch()
    first = order.copy()
    first.lines[0].quantity = 2
    second = order.copy()
    second.lines[0].quantity = 3
    at = order.updated_at + timedelta(milliseconds=100)
    webhooks = [
        flow.sender.order_webhook("orders/updated", first, at),
        flow.sender.order_webhook("orders/updated", second, at + timedelta(milliseconds=apart_ms)),
    ]
    return first, second, webhooks


@pytest.mark.parametrize("reverse", [False, True])
def test_two_edits_in_one_second(flow, reverse):
    _, second, webhooks = two_edits(flow, apart_ms=50)
    for webhook in reversed(webhooks) if reverse else webhooks:
        flow.sender.deliver(webhook)
    flow.exported(second)
    flow.settled([second], skipped={"superseded": 1} if reverse else {})
    flow.compare([second])


def test_an_undecidable_tie_is_counted(flow):
    before = flow.export.metric("syncline_order_export_undecidable_total")
    first, second, webhooks = two_edits(flow, apart_ms=0)
    for webhook in webhooks:
        flow.sender.deliver(webhook)
        flow.drained()
    flow.settled([second])
    assert flow.export.metric("syncline_order_export_undecidable_total") == before + 1
    flow.compare([second])  # The last arrival.


def test_a_state_that_comes_back(flow):
    """A → B → A: the last A is not taken for the first."""
    order = flow.order(financial_status="pending")
    flow.place(order)
    flow.exported(order)
    changed = order.copy().touch()
    changed.lines[0].quantity = 5
    flow.update(changed)
    flow.exported(changed)
    back = changed.copy().touch()
    back.lines[0].quantity = order.lines[0].quantity
    flow.update(back)
    flow.exported(back)
    flow.settled([back], skipped={})
    flow.compare([back])


def test_a_late_older_snapshot_changes_nothing(flow):
    order = flow.order(financial_status="pending")
    newer = order.copy().touch()
    newer.lines[0].quantity = 4
    older = flow.sender.order_webhook("orders/create", order)
    flow.update(newer)
    flow.exported(newer)
    flow.sender.deliver(older)
    flow.settled([newer], skipped={"superseded": 1})
    flow.compare([newer])


def test_a_refund_before_its_order(flow):
    order = flow.order()
    order.lines[0].quantity = 2
    refund = order.refund_body(flow.ids.refund(), {order.lines[0].id: 1})
    flow.refund(order, refund)
    flow.drained()
    assert flow.erp.order(order) is None
    flow.place(order)
    flow.exported(order)
    flow.credited(order, refund)
    flow.settled([order], skipped={})


def test_a_cancellation_before_the_first_export(flow):
    order = flow.order()
    created = flow.sender.order_webhook("orders/create", order)
    order.cancel()
    flow.update(order, "orders/cancelled")
    flow.sender.deliver(created)
    flow.settled([order], skipped={"cancelled_before_export": 1, "superseded": 1})
    assert flow.erp.order(order) is None


def test_a_cancellation_after_the_export(flow):
    order = flow.order()
    flow.place(order)
    flow.exported(order)
    order.cancel()
    flow.update(order, "orders/cancelled")
    flow.exported(order)
    flow.settled([order], skipped={})
    assert all(picking["state"] == "cancel" for picking in flow.erp.order(order)["pickings"])


def test_an_update_after_an_unconfirmed_deletion(flow):
    """The deletion holds nothing but itself; later snapshots go on."""
    order = flow.order(financial_status="pending")
    flow.place(order)
    flow.exported(order)
    flow.sender.deliver(flow.sender.webhook("eu", "orders/delete", {"id": order.id}))
    flow.settled([order], holds={order.key: "deletion_unconfirmed"}, skipped={})
    order.touch().lines[0].quantity = 6
    flow.update(order)
    flow.exported(order)
    flow.settled([order], holds={order.key: "deletion_unconfirmed"}, skipped={})


def test_a_confirmed_deletion_is_terminal(flow):
    order = flow.order(financial_status="pending")
    flow.place(order)
    flow.exported(order)
    flow.sender.deliver(flow.sender.webhook("eu", "orders/delete", {"id": order.id}))
    flow.settled([order], holds={order.key: "deletion_unconfirmed"}, skipped={})
    flow.admin(f"/admin/holds/{order.key}/override", "POST", {"code": "deletion_unconfirmed", "reason": "looked it up"})
    flow.settled([order], skipped={})
    assert held(flow.stack, [order.key]) == {} and flow.erp.order(order)["state"] == "cancel"
    later = order.copy().touch()
    flow.update(later)
    flow.settled([order], skipped={"deleted": 1})
    assert flow.erp.order(order)["state"] == "cancel"
