"""docs/operating/backup-and-restore.md, done: PostgreSQL is backed up while orders come in, the day goes on, PostgreSQL is destroyed,
the page is followed, and then the ERP and Shopify agree."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from day import SHOPS, Day, stock, with_tax
from page import Operator, Page, folder_of
from stack import wait_until
from support.flow import running
from support.mapping import mapping_text
from support.settled import rows

pytestmark = pytest.mark.stack

PAGE = Page("backup-and-restore")


@pytest.fixture
def day() -> Iterator[Day]:
    with running("restore", stock=stock()) as flow:
        yield Day(flow)


def held_at(day: Day, rate: str) -> set[str]:
    found = {order.key for order in day.untaxed(rate)}
    wait_until(lambda: found <= day.held(), 60, f"orders with a tax of {rate} are held")
    return found


@pytest.mark.parametrize("way", ["dump", "files"])
def test_what_was_destroyed_is_restored_and_both_sides_agree(day: Day, way: str) -> None:
    stack, flow = day.stack, day.flow
    operator = Operator(stack, BACKUP=str(folder_of(stack, "backup")), SINCE="1h")
    # Before the back-up.
    early = day.place(10)
    day.count(20, range(1, 11))
    day.refund(*early[:2])
    forgotten = held_at(day, "0.037")  # Held when the back-up is taken, exported afterwards: the restored database holds them again.
    day.quiet()
    # During the back-up: webhooks of these are under way.
    during = day.place(15)
    if way == "files":
        # The page's offsets, then files instead of the dump.
        operator.run(PAGE.fences("sh", "Back up")[0].rsplit("pg_dump", 1)[0])
        operator.follow(PAGE, "Back up", "pg_basebackup")
    else:
        operator.follow(PAGE, "Back up", "pg_dump")
        tables, offsets = operator.follow(PAGE, "Back up", "pg_restore --list").split()
        assert int(tables) > 20 and int(offsets) >= 12
    # After it, and before the loss.
    stack.mapping_file().write_text(mapping_text(**with_tax("3.7")))
    wait_until(lambda: not forgotten & day.held(), 60, "what was held is exported")
    late = day.place(10)
    day.more_of(*early[4:8], *during[:4])
    day.cancel(*early[8:10], late[0])
    day.refund(*during[8:12])
    lost = held_at(day, "0.038")  # Only the lost database knew of them.
    day.count(30, range(6, 16))
    day.shown()
    day.sell(6, 7, 12)
    day.quiet()
    day.shown()
    groups = set(operator.run('kafka-consumer-groups.sh --bootstrap-server "$BROKERS" --list').split())
    saved = {line.split(",")[0] for line in (stack.folder / "backup/offsets.csv").read_text().splitlines()}
    assert saved == groups, "the page saves the offsets of other groups than there are"
    settled_before = int(rows(stack, "select count(*) from order_export.inbox")[0][0])
    # The loss. The shops do not know of it.
    stack.postgres.destroy()
    day.place(6)
    day.checks.fault(kind="webhook_drop", topic="orders/create")
    swallowed = day.place(3)
    day.checks.heal()
    day.more_of(late[2], late[3])
    day.count(40, range(1, 4))
    day.sell(1, 8)
    day.stop_services()
    # The page.
    if way == "files":
        stack.postgres.adopt(stack.folder / "backup/base")
    else:
        stack.postgres.start_empty()
        operator.follow(PAGE, "2. Restore PostgreSQL")
    assert int(rows(stack, "select count(*) from order_export.inbox")[0][0]) < settled_before, "nothing to lose was lost"
    assert rows(stack, f"select key from order_export.parked_events where key = '{min(lost)}'") == [], "the restored database is not older"
    operator.follow(PAGE, "3. Set the groups back")
    day.start_services()
    day.quiet(180)
    for shop in SHOPS:
        said = operator.follow(PAGE, "5. Reconcile", SHOP=shop)
        assert "done" in said
    assert {order.key for order in swallowed} == day.checks.swallowed(*swallowed)
    day.agree(held=lost, seconds=180)
    assert min(lost) in operator.follow(PAGE, "6. Do again what people had decided")
    # What was held in the lost database goes on like any other hold.
    stack.mapping_file().write_text(mapping_text(taxes=with_tax("3.7")["taxes"] + with_tax("3.8")["taxes"][-1:]))
    day.agree()
    assert flow.export.metric("syncline_circuit_open") == 0

