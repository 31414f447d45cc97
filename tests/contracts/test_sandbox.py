"""The sandbox itself: its faults do what they say, and a kill loses nothing that was answered."""

from __future__ import annotations

import http.client
import json
import time

import pytest
from odoo_client import messages
from sandbox_server import Sandbox

pytestmark = pytest.mark.sandbox_only

LOST = (http.client.RemoteDisconnected, ConnectionError)


def known(odoo, external: str) -> bool:
    return bool(odoo.count_by_external_id(*external.split(".")))


def test_an_answer_is_lost_after_the_commit(sandbox, odoo, shop):
    external = shop.name("order")
    sandbox.fault(kind="answer_lost", method="load", times=1)
    with pytest.raises(LOST):
        shop.load_orders(shop.order_rows(external, [{}]))
    assert known(odoo, external)


def test_a_request_is_lost_before_it_runs(sandbox, odoo, shop):
    external = shop.name("order")
    sandbox.fault(kind="request_lost", method="load", times=1)
    with pytest.raises(LOST):
        shop.load_orders(shop.order_rows(external, [{}]))
    assert not known(odoo, external)


def test_probability_is_seeded(sandbox, odoo):
    def pattern() -> list[bool]:
        sandbox.fault(kind="http_error", status=503, method="search_count", probability=0.3, seed=7)
        found = [odoo.call("sale.order", "search_count", domain=[]).status == 503 for _ in range(40)]
        sandbox.heal()
        return found

    first = pattern()
    assert first == pattern() and 4 <= sum(first) <= 20


def test_serialization_of_a_load_is_a_message(sandbox, shop):
    sandbox.fault(kind="serialization", method="load", times=1)
    answer = shop.load_orders(shop.order_rows(shop.name("order"), [{}]))
    assert answer["ids"] is False and "could not serialize" in messages(answer)[0]


def test_serialization_of_another_call_is_a_500(sandbox, odoo, shop):
    _, id = shop.new_order()
    sandbox.fault(kind="serialization", method="action_confirm", times=1)
    answer = odoo.call("sale.order", "action_confirm", ids=[id])
    assert (answer.status, answer.error) == (500, "psycopg2.errors.SerializationFailure")


def test_a_call_runs_seconds_after_its_client_has_gone(sandbox, odoo, shop):
    external = shop.name("order")
    sandbox.fault(kind="execute_late", delay_ms=1500, method="load", times=1)
    with pytest.raises(TimeoutError):
        odoo.load("sale.order", shop.COLUMNS, shop.order_rows(external, [{}]), timeout=0.3)
    assert not known(odoo, external)
    deadline = time.monotonic() + 10
    while not known(odoo, external):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_database_is_down(sandbox, odoo):
    """ "a stopped PostgreSQL [is] 404 with an HTML body"; "With PostgreSQL down `/web/health` still says 200; `/web/health?db_server_status=1` says 500." """
    sandbox.fault(kind="database_down")
    answer = odoo.call("sale.order", "search_count", domain=[])
    assert answer.status == 404 and "html" in answer.headers["content-type"]
    assert odoo.request("GET", "/web/health").status == 200
    assert odoo.request("GET", "/web/health?db_server_status=1").status == 500


def test_the_port_can_be_closed(sandbox, odoo):
    sandbox.fault(kind="refuse")
    with pytest.raises(ConnectionRefusedError):
        odoo.request("GET", "/web/version")
    sandbox.heal()
    deadline = time.monotonic() + 5
    while True:
        try:
            assert odoo.request("GET", "/web/version").status == 200
            break
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_a_refused_record_is_named_with_its_phantom(sandbox, shop):
    names = [shop.name("order") for _ in range(5)]
    sandbox.fault(kind="refuse_record", external_ids=[names[3]], message="No.")
    answer = shop.load_orders([row for name in names for row in shop.order_rows(name, [{}])])
    assert answer["ids"] is False and [(message["record"], message["message"]) for message in answer["messages"]] == [(0, "No."), (3, "No.")]


def test_a_locked_customer(sandbox, odoo, shop):
    partner = shop.new_partner()
    sandbox.fault(kind="lock_record", external_ids=[partner])
    answer = shop.load_orders([*shop.order_rows(shop.name("order"), [{}]), *shop.order_rows(shop.name("order"), [{}], partner=partner)])
    assert answer["ids"] is False and [message["record"] for message in answer["messages"]] == [1]
    assert "could not obtain lock" in messages(answer)[0]
    id = odoo.call("ir.model.data", "check_object_reference", module="syncline_contract", xml_id=partner.split(".")[1]).ok()[1]
    write = odoo.write("res.partner", [id], phone="1")
    assert (write.status, write.error) == (409, "odoo.exceptions.LockError")


def test_a_malformed_answer(sandbox, odoo):
    sandbox.fault(kind="malformed", times=1)
    with pytest.raises(json.JSONDecodeError):
        odoo.call("sale.order", "search_read", domain=[], fields=["id"]).ok()


def test_counters_and_dumps(sandbox, odoo, shop):
    external, _ = shop.new_order({"quantity": "3"})
    counters = sandbox.control("GET", "counters")
    assert counters["calls"]["sale.order.load"]["calls"] >= 1 and counters["in_flight"] == 0
    [order] = sandbox.control("GET", f"orders?prefix={external}")
    assert order["external_id"] == external and order["lines"][0]["quantity"] == 3
    assert sandbox.control("GET", "summary")["orders"]["without_external_id"] >= 0


def test_a_kill_loses_nothing_that_was_answered(tmp_path, run_id):
    state = tmp_path / "state.jsonl"
    server = Sandbox("--state", str(state))
    answered = []
    try:
        for number in range(30):
            external = f"syncline_contract.{run_id}_kill_{number}"
            assert server.client.load("res.partner", ["id", "name"], [[external, f"N{number}"]])["ids"]
            answered.append(external)
    finally:
        server.kill()
    with open(state, "a") as torn:
        torn.write('{"c": 99, "r": [["res.par')  # The kill came in the middle of a line.
    server = Sandbox("--state", str(state))
    try:
        assert all(known(server.client, external) for external in answered)
        assert server.client.load("res.partner", ["id", "name"], [[answered[0], "again"]])["ids"]
    finally:
        server.close()


def test_the_last_commit_before_a_kill_is_there_twice_in_a_row(tmp_path):
    state = tmp_path / "state.jsonl"
    for round in range(3):
        server = Sandbox("--state", str(state))
        server.client.load("res.partner", ["id", "name"], [[f"syncline_contract.round_{round}", "x"]])
        server.kill()
    server = Sandbox("--state", str(state))
    assert all(known(server.client, f"syncline_contract.round_{round}") for round in range(3))
    server.close()
