"""Each fault is made on a real stack, its alert fires in a live Prometheus, the commands of its page are executed as they stand there,
and it clears. Durations of the rules are shortened by one factor and nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from live import FACTOR, Watched, watched
from stack import wait_until
from support.flow import start_what_ended
from support.ids import Ids
from support.mapping import mapping, mapping_text

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def shared() -> Iterator[Watched]:
    with watched() as running:
        yield running


@pytest.fixture
def system(shared: Watched) -> Iterator[Watched]:
    """Ids of its own, everything up and no faults, before and after."""
    shared.flow.ids = Ids()
    mend(shared)
    yield shared
    mend(shared)


def mend(system: Watched) -> None:
    stack = system.stack
    start_what_ended(stack)
    if stack.mapping_file().read_text() != mapping_text():
        stack.mapping_file().write_text(mapping_text())
    system.flow.erp.heal()


def test_the_target_is_down(system: Watched) -> None:
    """The circuit opens; a pause, the target's return and the resume of the page end it. What waited is late, and told as late."""
    alert = "SynclineCircuitOpen"
    before = [system.order() for _ in range(5)]
    for order in before:
        system.flow.place(order)
    system.flow.exported(*before)
    system.stack.odoo["odoo-main"].kill()
    waiting = [system.order() for _ in range(20)]
    for order in waiting:
        system.flow.place(order)
    placed = time.monotonic()
    found = system.fires(alert, 60)
    assert found["labels"]["connection"] == "odoo-main" and found["labels"]["severity"] == "critical"
    assert "odoo-main" in system.does(alert, "Diagnosis")
    system.does(alert, "Mitigation", "pause")
    # Later than the objective of the shipped rules, which is a bucket of the histogram and not shortened.
    wait_until(lambda: time.monotonic() - placed > 65, 70, "the orders are late", interval=1)
    assert system.firing(alert), "the circuit cannot close while the target is down"
    system.stack.odoo["odoo-main"].start()
    system.stack.wait_odoo()
    system.does(alert, "Mitigation", "resume")
    system.flow.exported(*waiting, seconds=60)
    system.clears(alert, 30)
    system.does(alert, "Mitigation", "doctor")
    late = system.fires("SynclineOrdersLate", 60, "critical")
    assert "%" in late["annotations"]["description"]
    system.does("SynclineOrdersLate", "Diagnosis", KEY=waiting[0].key, ORDER=str(waiting[0].id))
    system.clears("SynclineOrdersLate", 3 * 3600 / FACTOR, "critical")  # The page; its ticket looks at a longer time.


def test_a_mapping_entry_is_missing(system: Watched) -> None:
    alert = "SynclineHeldTooLong"
    orders = [system.order() for _ in range(9)]
    for order in orders:
        order.lines[0].rate = "0.033"
    first = orders[0]
    export = system.stack.services["order-export/odoo-main/0"]
    system.flow.place(first)
    wait_until(lambda: export.metric("syncline_events_total", outcome="held") > 0, 60, "the first is held")
    time.sleep(3)  # Prometheus has seen that there is such a counter.
    for order in orders[1:]:
        system.flow.place(order)
    wait_until(lambda: export.metric("syncline_held_keys") == len(orders), 60, "the orders are held")
    system.fires("SynclineOrdersByHand", 60, "critical")
    system.does("SynclineOrdersByHand", "Diagnosis", KEY=first.key, ORDER=str(first.id))
    assert not system.firing(alert), "it fires by age, not at once"
    found = system.fires(alert, 3 * 3600 / FACTOR)
    assert found["labels"]["connection"] == "odoo-main"
    said = system.does(alert, "Diagnosis", KEY=first.key, ORDER=str(first.id))
    assert "tax_unmapped" in said and all(order.key in said for order in orders)
    # What the page tells a person to do in the mapping file.
    known = mapping()
    ten = next(tax for tax in known["taxes"] if tax["country"] == "FR" and tax["rate"] == "10" and tax["included"])
    entry = {"country": "FR", "rate": "3.3", "included": True, "tax": ten["tax"]}
    system.stack.mapping_file().write_text(mapping_text(taxes=[*known["taxes"], entry]))
    system.does(alert, "Mitigation", "hold release", KEY=first.key)
    for order in orders:
        wait_until(lambda order=order: system.flow.erp.order(order) is not None, 90, f"{order.key} is exported")
    system.clears(alert, 60)
    system.clears("SynclineOrdersByHand", 3 * 3600 / FACTOR, "critical")


def test_a_record_is_locked_in_the_target(system: Watched) -> None:
    alert = "SynclineParkedTooLong"
    order = system.order()
    system.flow.erp.fault(kind="lock_record", emails=[order.email])
    system.flow.place(order)
    found = system.fires(alert, 2 * 3600 / FACTOR)
    assert found["labels"]["connection"] == "odoo-main"
    assert order.key in system.does(alert, "Diagnosis", KEY=order.key, ORDER=str(order.id))
    system.flow.erp.heal()  # Mended in the target, as the page says; then it goes on by itself.
    system.flow.exported(order, seconds=600)
    system.clears(alert, 60)


def test_the_target_rejects_orders(system: Watched) -> None:
    alert = "SynclineDeadLetters"
    order = system.order()
    system.flow.erp.fault(kind="refuse_record", external_ids=[order.external_id])
    system.flow.place(order)
    found = system.fires(alert, 60)
    assert found["labels"]["service"] == "order-export"
    code = found["labels"]["code"]
    [letter] = [item for item in system.flow.admin("/admin/dead-letters")["items"] if item["key"] == order.key]
    said = system.does(alert, "Diagnosis", CODE=code, ID=letter["id"], ORDER=str(order.id))
    assert order.key in said and code in said
    system.flow.erp.heal()
    system.does(alert, "Mitigation", "discard", ID=letter["id"])
    assert system.flow.erp.order(order) is None, "a dry run of the page has done something"
    system.does(alert, "Mitigation", "dlq replay", CODE=code)
    system.flow.exported(order)
    system.clears(alert, 2 * 3600 / FACTOR)


def test_an_instance_is_gone(system: Watched) -> None:
    alert = "SynclineServiceDown"
    system.stack.services["order-export/odoo-main/0"].process.kill()
    found = system.fires(alert, 60)
    assert found["labels"]["service"] == "order-export"
    system.does(alert, "Diagnosis", SERVICE="order-export")
    system.stack.restart("order-export/odoo-main/0")
    system.clears(alert, 30)
    system.does(alert, "Mitigation")


def test_the_database_is_down(system: Watched) -> None:
    alert = "SynclinePostgresAway"
    system.stack.postgres.process.kill()
    found = system.fires(alert, 90)
    assert found["labels"]["service"] == "order-export"
    system.does(alert, "Diagnosis", SERVICE="order-export")
    system.stack.postgres.restart()
    system.clears(alert, 60)
    wait_until(lambda: system.stack.services["order-export/odoo-main/0"].ready(), 60, "order-export is ready again")
    system.does(alert, "Mitigation", SERVICE="order-export")


def test_the_brokers_are_down(system: Watched) -> None:
    """Ingress answers 503: the page for the brokers, and the one for webhooks that fail."""
    alert = "SynclineKafkaAway"
    for _ in range(20):
        system.flow.place(system.order())
    system.stack.kafka.process.kill()
    for _ in range(12):
        webhook = system.flow.sender.order_webhook("orders/create", system.order())
        assert system.flow.sender.post(webhook, timeout=10).status == 503
    assert system.fires(alert, 90)["labels"]["service"] in ("ingress", "order-export")
    system.fires("SynclineWebhooksFailing", 60, "critical")
    system.does(alert, "Diagnosis", SERVICE="ingress")
    system.stack.kafka.restart()
    system.clears(alert, 60)
    back = system.order()
    system.flow.place(back)
    system.flow.exported(back, seconds=60)
    system.does(alert, "Mitigation", "doctor")
    system.clears("SynclineWebhooksFailing", 3 * 3600 / FACTOR, "critical")


def test_a_mapping_file_is_refused(system: Watched) -> None:
    alert = "SynclineConfigRefused"
    system.stack.mapping_file().write_text("taxes: {this: is no list}\n")
    found = system.fires(alert, 60)
    assert found["labels"]["service"] == "order-export"
    system.does(alert, "Diagnosis")
    order = system.order()
    system.flow.place(order)
    system.flow.exported(order)  # With the last good one.
    system.stack.mapping_file().write_text(mapping_text())
    system.clears(alert, 60)
