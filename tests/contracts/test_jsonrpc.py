"""The older door, /jsonrpc (1, 2, 7.6), on every version that has it."""

from __future__ import annotations

import pytest
from conftest import REAL_URL
from odoo_client import CREATE_ONCE, Odoo
from sandbox_server import Sandbox


@pytest.fixture(scope="module", params=["16.0", "17.0", "18.0", "19.0"])
def server(request: pytest.FixtureRequest):
    if REAL_URL:
        if request.param != "19.0":
            pytest.skip("the real server has one version")
        yield request.getfixturevalue("odoo"), request.param
        return
    sandbox = Sandbox("--version", request.param)
    yield sandbox.client, request.param
    sandbox.close()


def execute(odoo: Odoo, model: str, method: str, *arguments, key: str = "", **keywords):
    return odoo.rpc("object", "execute_kw", odoo.database, 2, key or odoo.key, model, method, list(arguments), keywords).ok()


def test_version_and_login(server):
    """ "`common.version` returns `server_version`, `server_version_info` (array)…" """
    odoo, version = server
    found = odoo.rpc("common", "version").ok()["result"]
    assert found["server_version"].startswith(version.split(".")[0]) and found["server_version_info"][0] == int(version.split(".")[0])
    if odoo.login:
        assert odoo.rpc("common", "authenticate", odoo.database, odoo.login, odoo.key, {}).ok()["result"]


def test_json2_exists_from_19_on(server):
    """ "JSON-2 | 19+" and "From 19 also `GET /web/version` (no key)." """
    odoo, version = server
    status = odoo.request("GET", "/web/version").status
    assert status == (200 if version == "19.0" else 404)
    assert (odoo.call("res.company", "search_read", domain=[], fields=["name"]).status == 200) == (version == "19.0")


def test_every_application_error_is_http_200(server):
    """ "every application error is HTTP 200 with `error.code` 0; classify on `error.data.name`" """
    odoo, version = server
    answer = execute(odoo, "sale.order", "action_confirm", [2_000_000_000])
    assert answer["error"]["code"] == (0 if version == "19.0" else 200)
    assert answer["error"]["data"]["name"] == "odoo.exceptions.MissingError"


def test_a_wrong_password(server):
    """ "Wrong password: `authenticate` gives `"result":false`, `execute_kw` gives AccessDenied." """
    odoo, _ = server
    assert odoo.rpc("common", "authenticate", odoo.database, odoo.login or "nobody", "wrong", {}).ok()["result"] is False
    assert execute(odoo, "sale.order", "search", [], key="wrong")["error"]["data"]["name"] == "odoo.exceptions.AccessDenied"


def test_a_method_that_returns_nothing(server):
    """ "A method returning None answers `{"jsonrpc":"2.0","id":1}` with neither `result` nor `error`: that is success." """
    odoo, _ = server
    partner = execute(odoo, "res.partner", "create", {"name": "Nobody"})["result"]
    [move] = execute(odoo, "account.move", "create", [{"move_type": "out_refund", "partner_id": partner}])["result"]
    answer = execute(odoo, "account.move", "button_draft", [move])
    assert ("result" not in answer and "error" not in answer) or "error" in answer


def test_unparsable_json_is_a_plain_400(server):
    """ "unparsable JSON gives a plain-text 400" """
    odoo, _ = server
    answer = odoo.request("POST", "/jsonrpc", "{", {"Content-Type": "application/json"})
    assert answer.status == 400 and "html" not in answer.text.lower()


@pytest.mark.sandbox_only
def test_load_confirm_and_read_with_the_names_of_the_version(server):
    """ "**19 renames** `product_uom` -> `product_uom_id`, `tax_id` -> `tax_ids`" """
    odoo, version = server
    taxes = "tax_ids" if version == "19.0" else "tax_id"
    [tax] = execute(odoo, "account.tax", "search", [["amount", "=", 20.0]], limit=1)["result"]
    execute(odoo, "res.partner", "load", ["id", "name"], [["syncline.c1", "Customer"]], context=CREATE_ONCE)
    columns = ["id", "partner_id/id", "order_line/id", "order_line/product_id/id", "order_line/name", "order_line/price_unit", f"order_line/{taxes}/.id"]
    row = ["syncline.o1", "syncline.c1", "syncline.l1", "sandbox.product_product_sku_0001", "Line", "10", str(tax)]
    [id] = execute(odoo, "sale.order", "load", columns, [row], context=CREATE_ONCE)["result"]["ids"]
    assert execute(odoo, "sale.order", "action_confirm", [id])["result"] is True
    [order] = execute(odoo, "sale.order", "read", [id], ["state", "amount_total"])["result"]
    assert (order["state"], order["amount_total"]) == ("sale", 12.0)
    wrong = "tax_id" if version == "19.0" else "tax_ids"
    assert "error" in execute(odoo, "sale.order.line", "search_read", [], [wrong])
    assert ("error" in execute(odoo, "sale.order", "search_read", [], ["locked"])) == (version == "16.0")


@pytest.mark.sandbox_only
def test_cancel_asks_back_in_older_versions(server):
    """ "action_cancel (older: context `disable_cancel_warning`)" """
    odoo, version = server
    partner = execute(odoo, "res.partner", "create", {"name": "Customer"})["result"]
    order = execute(odoo, "sale.order", "create", {"partner_id": partner})["result"]
    execute(odoo, "sale.order", "action_confirm", [order])
    asked = execute(odoo, "sale.order", "action_cancel", [order])["result"]
    assert (asked is True) == (version == "19.0")
    assert execute(odoo, "sale.order", "action_cancel", [order], context={"disable_cancel_warning": True})["result"] is True
