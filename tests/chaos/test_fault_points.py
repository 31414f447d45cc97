"""order-export dies at a named point of its work. A test fails if its point was not reached."""

import signal

import pytest
from stack import wait_until

# (point, nth): the first pass, and one in the middle of the work. Offsets are committed once a second, so few passes there.
POINTS = [("polled", 1), ("polled", 30), ("intent_written", 1), ("intent_written", 30), ("half_sent", 1), ("half_sent", 5)]
POINTS += [("answer_lost", 1), ("answer_lost", 5), ("commit_sent", 1), ("commit_sent", 2), ("offset_uncommitted", 1), ("offset_uncommitted", 2)]
ORDERS = 60


def die_at(flow, point: str, nth: int, tmp_path):
    """Restarts order-export so that it kills itself at the nth pass; the marker file tells that it did."""
    marker = tmp_path / f"{point}-{nth}"
    assert flow.export.process.stop() is not None
    flow.stack.restart(flow.export.name, {"SYNCLINE_FAULT": f"{point}:{nth}:kill", "SYNCLINE_FAULT_MARKER": str(marker)})
    return marker


@pytest.mark.parametrize("point, nth", POINTS)
def test_a_death_at_this_point_loses_and_doubles_nothing(flow, point, nth, tmp_path):
    marker = die_at(flow, point, nth, tmp_path)
    orders = [flow.order(shop, id=id, country="FR") for id in (flow.ids.order() for _ in range(ORDERS // 2)) for shop in ("eu", "us")]
    flow.sender.deliver_all([flow.sender.order_webhook("orders/create", order) for order in orders])
    wait_until(lambda: not flow.export.process.running(), 30, f"order-export dies at {point}")
    assert flow.export.process.exit_code() == -signal.SIGKILL
    assert marker.exists() and point in marker.read_text(), f"{point} was not reached"
    flow.stack.restart(flow.export.name)
    flow.settled(orders, seconds=90)
    flow.compare(orders)


@pytest.mark.parametrize("point", ["intent_written", "answer_lost", "commit_sent"])
def test_a_death_during_a_refund_makes_one_credit_note(flow, point, tmp_path):
    order = flow.order()
    order.lines[0].quantity = 2
    flow.place(order)
    flow.exported(order)
    flow.drained()
    marker = die_at(flow, point, 1, tmp_path)
    refund = order.refund_body(flow.ids.refund(), {order.lines[0].id: 1})
    flow.refund(order, refund)
    wait_until(lambda: not flow.export.process.running(), 30, f"order-export dies at {point}")
    assert marker.exists()
    flow.stack.restart(flow.export.name)
    flow.credited(order, refund)
    flow.settled([order])
    assert len(flow.erp.credit_notes(f"syncline.eu_refund_{refund['id']}")) == 1
