"""Contacts (7.1, last line)."""

from __future__ import annotations

import pytest
from odoo_client import CREATE_ONCE, OVERWRITE, at_once


def test_parent_before_children_in_one_call(odoo, shop):
    """ "Partners: parent before children in one call" """
    parent, child = shop.name("customer"), shop.name("address")
    ids = odoo.load("res.partner", ["id", "name", "parent_id/id", "type"], [[parent, "Parent", "", ""], [child, "Delivery", parent, "delivery"]])["ids"]
    assert odoo.read_one("res.partner", ids[1], "parent_id")["parent_id"][0] == ids[0]


def test_twenty_threads_on_one_new_parent(odoo, shop):
    """ "20 threads on one new parent: one parent" """
    parent = shop.name("customer")
    at_once(
        20,
        lambda number: odoo.load(
            "res.partner", ["id", "name", "parent_id/id", "type"], [[parent, "Parent", "", ""], [f"{parent}_a{number}", "Delivery", parent, "delivery"]]
        ),
    )
    module, name = parent.split(".")
    assert odoo.count_by_external_id(module, name) == 1


def test_email_is_found_by_its_normalised_form(odoo, shop, run_id):
    """'E-mail: `=` is case-sensitive, in `=ilike` `_` and `%` are wildcards: use `["email_normalized","=",lowercase]`.'"""
    email = f"Anna_B.{run_id}@Example.com"
    odoo.load(
        "res.partner", ["id", "name", "email"], [[shop.name("customer"), "Anna", email], [shop.name("customer"), "Annaxb", email.lower().replace("_", "x")]]
    )
    assert odoo.search_read("res.partner", [["email", "=", email.lower()]], "id") == []
    assert len(odoo.search_read("res.partner", [["email", "=ilike", email.lower()]], "id")) == 2
    assert len(odoo.search_read("res.partner", [["email_normalized", "=", email.lower()]], "id")) == 1


def test_an_invalid_vat_is_refused_unless_told_otherwise(odoo, shop):
    """ "Invalid VAT: error message (context `no_vat_validation:true` skips it; spaces are normalised)." """
    columns = ["id", "name", "country_id", "vat"]
    assert odoo.load("res.partner", columns, [[shop.name("customer"), "Bad", "FR", "FR12"]])["ids"] is False
    assert odoo.load("res.partner", columns, [[shop.name("customer"), "Bad", "FR", "FR12"]], {**CREATE_ONCE, "no_vat_validation": True})["ids"]
    [id] = odoo.load("res.partner", columns, [[shop.name("customer"), "Good", "FR", "FR 23 334 175 221"]])["ids"]
    assert odoo.read_one("res.partner", id, "vat")["vat"] == "FR23334175221"


def test_country_takes_the_code(odoo, shop):
    """ "`country_id` takes the code." """
    [id] = odoo.load("res.partner", ["id", "name", "country_id"], [[shop.name("customer"), "Belgian", "BE"]])["ids"]
    assert odoo.read_one("res.partner", id, "country_id")["country_id"][1] == "Belgium"


def test_an_archived_partner_is_updated_and_stays_archived(odoo, shop):
    """ "An archived partner is updated and stays archived." """
    external = shop.name("customer")
    [id] = odoo.load("res.partner", ["id", "name"], [[external, "Was here"]], OVERWRITE)["ids"]
    odoo.write("res.partner", [id], active=False).ok()
    assert odoo.search_read("res.partner", [["id", "=", id]], "id") == []
    odoo.load("res.partner", ["id", "name"], [[external, "Renamed"]], OVERWRITE)
    [found] = odoo.search_read("res.partner", [["id", "=", id]], "name", "active", context={"active_test": False})
    assert (found["name"], found["active"]) == ("Renamed", False)


@pytest.mark.limited
def test_a_limited_user(odoo, shop):
    """ "A limited user can `load` with external ids, `get_external_id`, `check_object_reference`; it gets 403 on `ir.model.data.search_read` and needs Contact/Creation for partners." """
    external, id = shop.new_order()
    module, name = external.split(".")
    key = odoo.limited_key
    assert odoo.load("sale.order", shop.COLUMNS, shop.order_rows(external, [{}]), key=key)["ids"] == [id]
    assert odoo.call("sale.order", "get_external_id", ids=[id], key=key).ok() == {str(id): external}
    assert odoo.call("ir.model.data", "check_object_reference", module=module, xml_id=name, key=key).ok() == ["sale.order", id]
    refused = odoo.call("ir.model.data", "search_read", domain=[["module", "=", module]], fields=["res_id"], key=key)
    assert (refused.status, refused.error) == (403, "odoo.exceptions.AccessError")
    assert odoo.call("res.partner", "create", vals_list=[{"name": "No"}], key=key).status == 403
