"""The two doors, probing, statuses and bodies of errors (1, 2, 7.5, 7.6)."""

from __future__ import annotations

import json
import socket
import time

import pytest
from odoo_client import CREATE_ONCE


@pytest.mark.parametrize("path", ["/web/version", "/json/version"])
def test_the_version_needs_no_key(odoo, path):
    """'`GET /web/version` or `/json/version` without a key: `{"version_info":[19,0,0,"final",0,""],"version":"19.0"}`'"""
    answer = odoo.request("GET", path).ok()
    assert answer["version_info"][0] >= 19 and answer["version"].startswith(str(answer["version_info"][0]))


def test_fields_get_describes_what_is_there(odoo):
    """ "`fields_get {"allfields":[…],"attributes":[…]}`; an unknown name is just absent." """
    described = odoo.call("sale.order.line", "fields_get", allfields=["tax_ids", "tax_id", "nothing"], attributes=["type", "relation"]).ok()
    assert described["tax_ids"]["type"] == "many2many" and described["tax_ids"]["relation"] == "account.tax"
    assert "tax_id" not in described and "nothing" not in described


def test_a_missing_module_is_a_404(odoo):
    """ "Missing module: 404 "the model '…' does not exist"" """
    answer = odoo.call("no.such.model", "search_read", domain=[])
    assert answer.status == 404 and "no.such.model" in answer.message and "does not exist" in answer.message


def test_an_unknown_method_is_a_404(odoo):
    """ "unknown model or method | 404" """
    assert odoo.call("sale.order", "no_such_method", ids=[]).status == 404


def test_private_methods_are_refused(odoo):
    """ "names starting with `_` are refused on every transport" """
    assert odoo.call("sale.order", "_compute_amounts", ids=[]).status != 200


@pytest.mark.parametrize(
    "model, method, arguments",
    [
        ("sale.order", "load", {"fields": ["id"]}),
        ("sale.order", "search_read", {"domain": [], "nonsense": 1}),
        ("sale.order", "search_read", {"ids": [1], "domain": []}),
    ],
)
def test_bad_arguments_are_a_422(odoo, model, method, arguments):
    """ "bad or missing argument; `ids` passed to a model-level method | 422" """
    assert odoo.call(model, method, **arguments).status == 422


def test_error_bodies_have_five_members(odoo):
    """ "body `{name, message, arguments, context, debug}`" """
    body = odoo.call("sale.order", "action_confirm", ids=[2_000_000_000]).json
    assert {"name", "message", "arguments", "context", "debug"} <= set(body)


def test_an_unknown_field_is_a_500_value_error(odoo):
    """ "an unknown field or a NUL in text is **500** `builtins.ValueError` (permanent)" """
    answer = odoo.call("sale.order", "search_read", domain=[], fields=["no_such_field"], limit=1)
    assert (answer.status, answer.error) == (500, "builtins.ValueError")


def test_nul_in_text_is_a_500_value_error(odoo):
    """ "a NUL in text is **500** `builtins.ValueError`" """
    answer = odoo.call("res.partner", "create", vals_list=[{"name": "a\u0000b"}])
    assert (answer.status, answer.error) == (500, "builtins.ValueError")


def test_iso_datetimes_are_refused(odoo, shop):
    """ "datetimes `YYYY-MM-DD HH:MM:SS` UTC, ISO `T`/`Z` is refused with ValueError" """
    _, id = shop.new_order()
    answer = odoo.write("sale.order", [id], date_order="2026-11-20T10:00:00Z")
    assert (answer.status, answer.error) == (500, "builtins.ValueError")


def test_an_unknown_database_is_a_404_with_html(odoo):
    """ "an unknown database … **404 with an HTML body**" """
    headers = {**odoo.headers(), "X-Odoo-Database": "no_such_database"}
    answer = odoo.request("POST", "/json/2/sale.order/search_read", "{}", headers)
    assert answer.status == 404 and "html" in answer.headers["content-type"]


def test_a_wrong_content_type_is_a_415_with_html(odoo):
    """ "wrong Content-Type 415 HTML" """
    answer = odoo.request("POST", "/json/2/sale.order/search_read", "{}", {**odoo.headers(), "Content-Type": "text/plain"})
    assert answer.status == 415 and "html" in answer.headers["content-type"]


@pytest.mark.parametrize("key", ["Bearer wrong", ""])
def test_a_bad_or_missing_key_is_a_401(odoo, key):
    """ "bad or missing key 401" """
    headers = {**odoo.headers(), "Authorization": key}
    assert odoo.request("POST", "/json/2/sale.order/search_read", json.dumps({"domain": []}), headers).status == 401


def test_check_object_reference(odoo, shop):
    """'→ `["sale.order",1855]` (unknown: 500 ValueError "External ID not found")'"""
    external, id = shop.new_order()
    module, name = external.split(".")
    assert odoo.call("ir.model.data", "check_object_reference", module=module, xml_id=name).ok() == ["sale.order", id]
    unknown = odoo.call("ir.model.data", "check_object_reference", module=module, xml_id="nowhere")
    assert (unknown.status, unknown.error) == (500, "builtins.ValueError") and "External ID not found" in unknown.message


def test_a_foreign_company_is_refused(odoo, shop):
    """'a foreign company: error "Access to unauthorized or invalid companies."'"""
    answer = odoo.call("sale.order", "search_read", domain=[], fields=["id"], limit=1, context={"allowed_company_ids": [987654]})
    assert answer.status == 403 and "invalid companies" in answer.message


@pytest.mark.sandbox_only
def test_every_answer_closes_the_connection(odoo):
    """ "Every answer carries `Connection: close` (a fronting proxy may differ)" """
    assert odoo.call("res.company", "search_read", domain=[], fields=["name"]).headers["connection"] == "close"


def test_a_client_that_left_did_not_stop_the_call(odoo, shop):
    """ "A client that disconnected 15 ms after sending: the order **was created**." """
    external = shop.name("order")
    body = json.dumps({"fields": list(shop.COLUMNS), "data": shop.order_rows(external, [{}]), "context": CREATE_ONCE}).encode()
    head = "".join(f"{name}: {value}\r\n" for name, value in odoo.headers().items())
    with socket.create_connection((odoo.host, odoo.port)) as raw:
        raw.sendall(f"POST /json/2/sale.order/load HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        time.sleep(0.015)  # The observation itself.
    module, name = external.split(".")
    deadline = time.monotonic() + 20
    while odoo.count_by_external_id(module, name) == 0:
        assert time.monotonic() < deadline, "the order was not created"
        time.sleep(0.05)


def test_empty_values_read_as_false(odoo, shop):
    """ "every empty value reads as false" and "many2one reads as `[id,"name"]` or false" """
    _, id = shop.new_order()
    order = odoo.read_one("sale.order", id, "note", "commitment_date", "fiscal_position_id", "partner_id")
    assert order["commitment_date"] is False and order["fiscal_position_id"] is False
    assert order["partner_id"][1] == "Contract Customer"


def test_old_names_are_gone(odoo, shop):
    """ "Renamed in 19: `sale.order.line.tax_id` → `tax_ids`…; the old names answer 500." """
    _, id = shop.new_order()
    assert odoo.call("sale.order.line", "search_read", domain=[["order_id", "=", id]], fields=["tax_id"]).status == 500
