"""docs/operating/disaster.md, done: a server is lost with everything on it, the page is followed, and then the ERP and Shopify agree."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from day import SHOPS, Day, stock
from page import Operator, Page
from stack import wait_until
from support.flow import running

pytestmark = pytest.mark.stack

PAGE = Page("disaster")


@pytest.fixture
def day() -> Iterator[Day]:
    with running("disaster", stock=stock()) as flow:
        yield Day(flow)


@pytest.fixture
def operator(day: Day) -> Operator:
    return Operator(day.stack, SINCE="1d", REPLICAS="1")


def morning(day: Day) -> set[str]:
    """What was settled before the loss; the keys that are held."""
    placed = day.place(12)
    day.count(20, range(1, 13))
    day.refund(*placed[:2])
    day.quiet()
    day.more_of(*placed[4:8])
    day.cancel(*placed[8:10])
    held = {order.key for order in day.untaxed("0.037")}
    wait_until(lambda: held <= day.held(), 60, "orders without a tax are held")
    day.shown()
    day.sell(1, 2, 3)
    day.quiet()
    wait_until(lambda: not day.differences(held), 60, "everything is exported and shown", interval=0.5)
    return held


def heal(day: Day, operator: Operator, part: str) -> None:
    """The last commands of a part; the warehouse sends everything."""
    day.stock.warehouse.control("push_snapshot", "POST", {})
    day.quiet(180)
    for shop in SHOPS:
        assert "done" in operator.follow(PAGE, part, SHOP=shop)


def test_postgresql_is_lost_without_a_back_up(day: Day, operator: Operator) -> None:
    held = morning(day)
    created = creations(day)
    day.stack.postgres.destroy()
    day.place(4)  # The shops go on; ingress and Kafka take it.
    day.sell(4)
    day.stop_services()
    day.stack.postgres.start_empty()
    operator.follow(PAGE, "1. An empty database, and the groups at the beginning")
    day.start_services()
    day.quiet(180)
    heal(day, operator, "3. Once the lag is gone")
    day.agree(held, 180)
    assert creations(day) == created + 9, "something was made twice, or not at all"


def test_kafka_is_lost_with_what_nobody_had_read(day: Day, operator: Operator) -> None:
    held = morning(day)
    created = creations(day)
    # Reconciliation reads these, order-export and inventory-sync do not.
    for name in ("order-export/odoo-main/0", "inventory-sync/0"):
        day.stack.services[name].process.stop()
    day.place(5)
    day.count(50, range(5, 9))
    day.quiet_webhooks()
    day.stack.kafka.destroy()
    for service in day.stack.services.values():
        service.process.stop()
    day.stack.kafka.start()
    day.stack.kafka.wait_ready()
    operator.follow(PAGE, "1. Topics")
    operator.follow(PAGE, "2. Positions of the lost topics")
    day.start_services()
    day.place(3)
    heal(day, operator, "4. What was published and not read")
    day.agree(held, 180)
    assert creations(day) == created + 16


def test_both_are_lost(day: Day, operator: Operator) -> None:
    held = morning(day)
    created = creations(day)
    day.stack.kafka.destroy()
    day.stack.postgres.destroy()
    for service in day.stack.services.values():
        service.process.stop()
    day.stack.kafka.start()
    day.stack.kafka.wait_ready()
    day.stack.postgres.start_empty()
    operator.follow(PAGE, "1. Topics")
    operator.run(PAGE.fences("sh", "1. An empty database, and the groups at the beginning")[0].splitlines()[0])
    day.start_services()
    day.place(3)
    heal(day, operator, "3. Once the lag is gone")
    day.agree(held, 180)
    assert creations(day) == created + 6, "something was made twice, or not at all"


def creations(day: Day) -> int:
    """Documents there are, whoever made them."""
    return len(day.flow.erp.orders(""))
