"""Something everybody needs is down for a while."""

import resource
import time

from stack import wait_until
from support.settled import Progress, dead, waiting_keys
from traffic import Traffic


def keys(orders) -> list[str]:
    return [order.key for order in orders]


def hold_for(seconds: float) -> None:
    """The outage itself."""
    time.sleep(seconds)


def resident_bytes(service) -> int:
    with open(f"/proc/{service.process.pid}/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def test_kafka_down(flow):
    """Ingress answers 503 within its limit, recovers by itself; nothing answered 200 is missing."""
    accepted = [flow.order() for _ in range(20)]
    for order in accepted:
        flow.place(order)
    flow.stack.kafka.process.kill()
    slowest = 0.0
    for _ in range(5):
        webhook = flow.sender.order_webhook("orders/create", flow.order())
        start = time.monotonic()
        reply = flow.sender.post(webhook, timeout=10)
        slowest = max(slowest, time.monotonic() - start)
        assert reply.status == 503 and int(reply.headers["retry-after"]) >= 1
    assert slowest < 4.5  # Shopify gives up after 5 s.
    flow.stack.kafka.restart()
    back = flow.order()
    assert flow.sender.deliver(flow.sender.order_webhook("orders/create", back), give_up=30) >= 1
    flow.exported(*accepted, back, seconds=60)
    flow.settled([*accepted, back], seconds=60)
    flow.compare([*accepted, back])


def test_postgres_down(flow):
    """Partitions pause; nothing is parked, held or dead-lettered."""
    before = [flow.order() for _ in range(20)]
    for order in before:
        flow.place(order)
    flow.exported(*before)
    flow.drained()
    flow.stack.postgres.process.kill()
    during = [flow.order() for _ in range(50)]
    flow.sender.deliver_all([flow.sender.order_webhook("orders/create", order) for order in during])
    wait_until(lambda: flow.export.metric("syncline_postgres_available") == 0, 30, "the metric says that PostgreSQL is away")
    hold_for(8)
    assert flow.export.process.running()
    flow.stack.postgres.restart()
    flow.exported(*during, seconds=60)
    flow.settled([*before, *during], skipped={})
    flow.compare([*before, *during])


def test_the_erp_down_for_a_minute(flow):
    """Circuit opens, partitions pause, memory stays bounded, nothing is dead-lettered, it drains afterwards."""
    warm = [flow.order() for _ in range(20)]
    for order in warm:
        flow.place(order)
    flow.exported(*warm)
    flow.stack.odoo["odoo-main"].kill()
    start = time.monotonic()
    traffic = Traffic(flow, 1500, 77, threads=8)
    wait_until(lambda: flow.export.metric("syncline_circuit_open") == 1, 30, "the circuit opens")
    wait_until(lambda: flow.export.metric("syncline_partitions_paused") > 0, 30, "partitions pause")
    traffic.join()
    bytes_before = resident_bytes(flow.export)
    hold_for(max(0.0, 60 - (time.monotonic() - start)))
    assert resident_bytes(flow.export) - bytes_before < 64 * 1024 * 1024
    assert dead(flow.stack, keys(traffic.orders)) == {}
    flow.stack.odoo["odoo-main"].start()
    flow.stack.wait_odoo()
    flow.exported(*traffic.orders[:1], seconds=60)
    wait_until(lambda: flow.export.metric("syncline_circuit_open") == 0, 60, "the circuit closes")
    flow.settled([*warm, *traffic.orders], seconds=120)
    flow.compare([*warm, *traffic.orders])


def test_the_erps_database_down(flow):
    """404 with HTML is the target being away, not an order that is refused."""
    flow.erp.fault(kind="database_down")
    orders = [flow.order() for _ in range(30)]
    flow.sender.deliver_all([flow.sender.order_webhook("orders/create", order) for order in orders])
    wait_until(lambda: flow.export.metric("syncline_circuit_open") == 1, 30, "the circuit opens")
    assert waiting_keys(flow.stack, keys(orders)) == [] and dead(flow.stack, keys(orders)) == {}
    flow.erp.heal()
    flow.exported(*orders, seconds=60)
    flow.settled(orders, skipped={})


def test_throttled_unauthorized_and_5xx_are_waited_out(flow):
    for rule in (
        {"kind": "http_error", "status": 429, "retry_after": 1, "times": 3},
        {"kind": "unauthorized", "times": 3},
        {"kind": "http_error", "status": 503, "times": 3},
        {"kind": "malformed", "times": 3},
    ):
        flow.erp.fault(**rule)
        orders = [flow.order() for _ in range(10)]
        flow.sender.deliver_all([flow.sender.order_webhook("orders/create", order) for order in orders])
        flow.exported(*orders, seconds=90)
        flow.settled(orders, skipped={})
        flow.erp.heal()


def test_a_stalled_erp_blocks_nothing_for_ever(flow):
    flow.erp.fault(kind="stall", method="load", times=2)
    orders = [flow.order() for _ in range(10)]
    flow.sender.deliver_all([flow.sender.order_webhook("orders/create", order) for order in orders])
    flow.exported(*orders, seconds=150)
    flow.settled(orders, seconds=60)
    flow.compare(orders)
    assert Progress(flow.stack).lag() == 0
