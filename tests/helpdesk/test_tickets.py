"""What does not arrive is a ticket, once for each cause; what heals is solved."""

import time

from stack import wait_until
from support.flow import SEEDED_NAMES
from support.letters import letters, replay


def counts(number: int):
    """The last comment, or the opening of a single order, tells so many."""
    return lambda ticket: ticket["comments"][-1].startswith(f"Waiting now: {number} orders")


def test_a_held_order_is_a_ticket_that_is_solved_when_the_order_has_arrived(desk):
    [order] = desk.place_held()
    ticket = desk.comes(lambda ticket: True)
    assert order.key in ticket["comments"][0] and "tax_unmapped" in ticket["comments"][0]
    assert ticket["status"] == "new" and ticket["tags"] == ["syncline"] and ticket["priority"] == "normal"
    [user] = desk.zendesk.control("users")
    assert user["external_id"] == "syncline.main" and ticket["requester_id"] == user["id"] and user["mails"] == 0
    desk.release()
    solved = desk.is_solved()
    assert solved["id"] == ticket["id"] and len(solved["comments"]) == 2


def test_a_storm_of_300_holds_of_one_cause_is_one_ticket(desk):
    calls = desk.zendesk.control("counters")["calls"]
    desk.place_held(300)
    ticket = desk.comes(counts(300), seconds=120)
    assert " and 280 more" in ticket["comments"][-1]
    now = desk.zendesk.control("counters")["calls"]
    assert now["create_ticket"] - calls.get("create_ticket", 0) == 1
    assert now["update_ticket"] - calls.get("update_ticket", 0) <= 6, "a comment in 20 s at most"
    desk.release()
    solved = desk.is_solved(180)
    assert solved["id"] == ticket["id"] and len(solved["comments"]) <= 16


def test_a_lost_answer_makes_no_second_ticket_and_no_second_comment(desk):
    desk.fault(kind="answer_lost", call="create_ticket", times=1)
    [first] = desk.place_held()
    ticket = desk.comes(lambda ticket: first.key in ticket["comments"][0])
    wait_until(lambda: desk.flow.stack.postgres.query("SELECT count(*) FROM helpdesk_sync.tickets WHERE ticket_id = " + str(ticket["id"])) == "1", 30, "the ticket is known")
    desk.fault(kind="answer_lost", call="update_ticket", times=1)
    desk.place_held()
    desk.comes(counts(2), seconds=60)
    wait_until(
        lambda: desk.flow.stack.postgres.query(f"SELECT count(*) FROM helpdesk_sync.tickets WHERE ticket_id = {ticket['id']} AND told LIKE '2 orders%'") == "1",
        60,
        "the comment is known to be there",
    )
    ticket = desk.comes(counts(2))
    assert len(ticket["comments"]) == 2
    struck = [rule["struck"] for rule in desk.zendesk.control("faults")]
    assert struck == [1, 1]


def test_a_process_killed_while_it_makes_the_ticket_leaves_one(desk):
    desk.fault(kind="latency", call="create_ticket", ms=1500, times=1)
    desk.place_held(20)
    wait_until(lambda: [rule["struck"] for rule in desk.zendesk.control("faults")] == [1], 60, "the request is on its way", interval=0.02)
    desk.service.process.kill()
    assert desk.tickets() == []
    desk.flow.stack.restart("helpdesk-sync/0")
    ticket = desk.comes(counts(20), seconds=120)
    time.sleep(3)
    assert [one["id"] for one in desk.tickets()] == [ticket["id"]]


def test_while_zendesk_is_away_everything_waits_and_comes_later(desk):
    desk.fault(kind="refuse")
    orders = desk.place_held(10)
    wait_until(lambda: desk.service.metric("syncline_circuit_open") == 1, 60, "the circuit opens")
    desk.flow.settled(orders, holds={order.key: "tax_unmapped" for order in orders}, skipped={})
    assert desk.tickets() == [] and desk.service.metric("syncline_dead_letters_total") == 0
    desk.zendesk.control("faults", "DELETE")
    desk.comes(counts(10), seconds=120)
    assert desk.service.metric("syncline_circuit_open") == 0


def test_a_limit_that_is_used_up_is_waited_for(desk):
    desk.fault(kind="http_error", call="create_ticket", status=429, retry_after=3, times=2)
    desk.place_held()
    started = time.monotonic()
    desk.comes(lambda ticket: True)
    assert time.monotonic() - started > 2
    assert desk.service.metric("syncline_zendesk_calls_total", outcome="throttled") >= 1


def test_a_refused_order_is_a_ticket_until_it_has_been_replayed(desk):
    order = desk.flow.order()
    desk.flow.erp.fault(kind="refuse_record", external_ids=[order.external_id], message="Field x is wrong")
    desk.flow.place(order)
    about = "Orders were refused at odoo-main"
    ticket = desk.comes(lambda ticket: order.key in ticket["comments"][0], about=about)
    desk.commands_are_understood(ticket["comments"][0])
    desk.flow.erp.heal()
    [letter] = letters(desk.flow, order.key)
    replay(desk.flow, letter, "after-the-cure")
    desk.comes(lambda each: each["status"] == "solved" and each["id"] == ticket["id"], seconds=90, about=about)


def test_a_refused_refund_is_a_ticket_until_it_has_been_replayed(desk):
    order = desk.flow.order()
    order.lines[0].quantity = 2
    desk.flow.place(order)
    desk.flow.exported(order)
    refund = order.refund_body(desk.flow.ids.refund(), {order.lines[0].id: 1})
    desk.flow.erp.fault(kind="refuse_record", model="account.move", external_ids=[f"syncline.eu_refund_{refund['id']}"])
    desk.flow.refund(order, refund)
    about = "Refunds were refused at odoo-main"
    ticket = desk.comes(lambda ticket: order.key in ticket["comments"][0], about=about)
    desk.flow.erp.heal()
    [letter] = letters(desk.flow, order.key)
    replay(desk.flow, letter, "refund-after-the-cure")
    desk.flow.credited(order, refund)
    desk.comes(lambda each: each["status"] == "solved" and each["id"] == ticket["id"], seconds=90, about=about)


def test_nothing_about_a_person_leaves_for_the_desk_or_the_logs(desk):
    desk.place_held(2)
    desk.comes(lambda ticket: True)
    log = desk.service.process.log.read_text()
    shown = str(desk.zendesk.tickets())
    for name in SEEDED_NAMES:
        assert name not in log and name not in shown, name
    assert "sandbox-token" not in log and "shop-operations@" not in log
