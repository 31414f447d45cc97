"""An owner that is stopped inside a call and comes back later must not win over the newer version."""

import time

import pytest
from stack import Connection, wait_until
from support.flow import QUICK, running

# A session that ends soon, so that the partitions of a stopped owner move.
MOVING = {**QUICK, "kafka": {"properties": {"session.timeout.ms": "6000", "heartbeat.interval.ms": "1000"}}}


@pytest.mark.parametrize("execute_late", [False, True])
def test_a_stopped_owner_does_not_overwrite_a_newer_version(execute_late):
    """SIGSTOP inside a call, partitions move, a newer version is exported, SIGCONT: the newer version stands, also when the ERP
    executes the old call seconds later."""
    with running("zombie", connections=[Connection(instances=2, settings=MOVING)]) as flow:
        order = flow.order(financial_status="pending")
        flow.place(order)
        flow.exported(order)
        flow.drained()
        older = order.copy().touch()
        older.lines[0].quantity = 2
        # The write of the older version arrives and is carried out late; its sender is stopped meanwhile.
        flow.erp.fault(kind="execute_late", model="sale.order", method="write", delay_ms=14_000 if execute_late else 3_000, times=1)
        before = flow.erp.counters()["in_flight"]
        flow.update(older)
        wait_until(lambda: flow.erp.counters()["in_flight"] > before, 20, "the older version is on its way", interval=0.02)
        owner = busy_instance(flow)
        owner.process.pause()
        try:
            newer = older.copy().touch()
            newer.lines[0].quantity = 9
            flow.update(newer)
            flow.exported(newer, seconds=90)
        finally:
            owner.process.resume()
        # Until the late call has run and been noticed.
        wait_until(lambda: flow.erp.counters()["in_flight"] == 0, 60, "the ERP has carried out everything")
        flow.exported(newer, seconds=60)
        flow.settled([newer], seconds=90)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            flow.compare([newer])
            time.sleep(0.5)


def busy_instance(flow):
    """The instance that owns the record in flight."""

    def found():
        return next((service for service in flow.stack.exports() if service.metric("syncline_in_flight_records") > 0), None)

    return wait_until(found, 10, "one instance has a record in flight", interval=0.02)


def test_partitions_move_and_come_back_without_loss_or_twins():
    """Two instances; one is killed, one is added: a parked key and everything in flight survive the rebalance."""
    with running("rebalance", connections=[Connection(instances=2, settings=MOVING)]) as flow:
        customer = flow.ids.order()
        flow.erp.fault(kind="lock_record", external_ids=[f"syncline.eu_customer_{customer}"])
        parked = flow.order(customer_id=customer)
        flow.place(parked)
        orders = [flow.order() for _ in range(300)]
        webhooks = [flow.sender.order_webhook("orders/create", order) for order in orders]
        flow.sender.deliver_all(webhooks[:100])
        flow.stack.services["order-export/odoo-main/0"].process.kill()
        flow.sender.deliver_all(webhooks[100:200])
        flow.stack.restart("order-export/odoo-main/0")
        flow.sender.deliver_all(webhooks[200:])
        flow.erp.heal()
        flow.exported(*orders, parked, seconds=90)
        flow.settled([*orders, parked], seconds=90)
        flow.compare([*orders, parked])
