"""`load`, the create-once primitive (7.1)."""

from __future__ import annotations

import pytest
from odoo_client import CREATE_ONCE, OVERWRITE, at_once, messages


def test_create_once_leaves_a_known_order_alone(odoo, shop):
    """ "an unknown external id is created and a known one is left alone (its id is answered, nothing changes: quantity, partner, pricelist, an extra line)" """
    line = shop.name("line")
    external, id = shop.new_order({"id": line, "quantity": "1"})
    other = shop.new_partner()
    again = shop.load_orders(shop.order_rows(external, [{"id": line, "quantity": "9"}, {"name": "extra"}], partner=other, ref="changed"))
    assert again["ids"] == [id]
    order = odoo.read_one("sale.order", id, "order_line", "client_order_ref", "partner_id")
    assert len(order["order_line"]) == 1 and order["client_order_ref"] != "changed"
    assert odoo.read_one("sale.order.line", order["order_line"][0], "product_uom_qty")["product_uom_qty"] == 1.0


@pytest.mark.parametrize("actions", [["action_confirm"], ["action_confirm", "action_lock"], ["action_cancel"]])
def test_create_once_leaves_an_order_in_any_state_alone(odoo, shop, actions):
    """ "draft, confirmed, locked, cancelled orders" """
    external, id = shop.new_order({"quantity": "2"})
    for action in actions:
        odoo.call("sale.order", action, ids=[id]).ok()
    before = odoo.read_one("sale.order", id, "state", "amount_total", "order_line")
    assert shop.load_orders(shop.order_rows(external, [{"quantity": "7"}]))["ids"] == [id]
    assert odoo.read_one("sale.order", id, "state", "amount_total", "order_line") == before


def test_known_and_new_ids_mix_in_one_call(shop):
    """ "Known and new ids mix in one call." and "`ids` come in input order" """
    first, first_id = shop.new_order()
    second, second_id = shop.new_order()
    fresh = shop.name("order")
    ids = shop.load_orders([*shop.order_rows(second, [{}]), *shop.order_rows(fresh, [{}]), *shop.order_rows(first, [{}])])["ids"]
    assert [ids[0], ids[2]] == [second_id, first_id] and ids[1] not in (first_id, second_id)


def test_the_flag_is_stored_at_the_first_load(odoo, shop):
    """ "The flag is stored at the first load: records first loaded without it are still overwritten." """
    external = shop.name("customer")
    [id] = odoo.load("res.partner", ["id", "name"], [[external, "First"]], OVERWRITE)["ids"]
    odoo.load("res.partner", ["id", "name"], [[external, "Second"]], CREATE_ONCE)
    assert odoo.read_one("res.partner", id, "name")["name"] == "Second"


def test_noupdate_without_mode_update_overwrites(odoo, shop):
    """ "`noupdate` without `mode:"update"` overwrites." """
    external = shop.name("customer")
    [id] = odoo.load("res.partner", ["id", "name"], [[external, "First"]])["ids"]
    odoo.load("res.partner", ["id", "name"], [[external, "Second"]], {"noupdate": True})
    assert odoo.read_one("res.partner", id, "name")["name"] == "Second"


def test_twenty_threads_with_one_new_id_make_one_record(odoo, shop):
    """ "20 threads with one new id: one record; one or more losers answer `ids:false` with "could not serialize…"" """
    external = shop.name("order")
    rows = shop.order_rows(external, [{}])
    answers = at_once(20, lambda _: shop.load_orders(rows))
    winners = {tuple(answer["ids"]) for answer in answers if answer["ids"]}
    losers = [answer for answer in answers if not answer["ids"]]
    assert len(winners) == 1 and losers
    assert all(any("could not serialize" in text for text in messages(loser)) for loser in losers)
    module, name = external.split(".")
    assert odoo.count_by_external_id(module, name) == 1


def test_four_threads_with_the_same_batch(odoo, shop):
    """ "4 threads with the same batch of 50: one wins, the others fail whole; still 50 records." """
    names = [shop.name("order") for _ in range(50)]
    rows = [row for name in names for row in shop.order_rows(name, [{}])]
    answers = at_once(4, lambda _: shop.load_orders(rows))
    won = [answer["ids"] for answer in answers if answer["ids"]]
    assert won and all(ids == won[0] for ids in won)
    found = odoo.search_read("ir.model.data", [["module", "=", "syncline_contract"], ["name", "in", [name.split(".")[1] for name in names]]], "res_id")
    assert len(found) == 50


def test_several_taxes_in_one_cell(odoo, shop):
    """'Several taxes: one cell, `"117,119"`' and "An empty `tax_ids` cell = no tax" """
    taxes = sorted([shop.tax(20), shop.tax(5)])
    _, id = shop.new_order({"taxes": ",".join(map(str, taxes))}, {"taxes": ""})
    both, none = odoo.read("sale.order.line", odoo.read_one("sale.order", id, "order_line")["order_line"], "tax_ids")
    assert sorted(both["tax_ids"]) == taxes and none["tax_ids"] == []


def test_an_absent_tax_column_means_the_products_taxes(odoo, shop):
    """ "Column absent = the product's taxes" """
    tax = shop.tax(20)
    product = shop.name("product")
    odoo.load("product.product", ["id", "name", "type", "taxes_id/.id"], [[product, "Taxed", "consu", str(tax)]])
    columns = ["id", "partner_id/id", "order_line/id", "order_line/product_id/id", "order_line/name"]
    [id] = odoo.load("sale.order", columns, [[shop.name("order"), shop.partner, shop.name("line"), product, "Line"]])["ids"]
    [line] = odoo.read_one("sale.order", id, "order_line")["order_line"]
    assert odoo.read_one("sale.order.line", line, "tax_ids")["tax_ids"] == [tax]


def test_an_empty_cell_is_an_explicit_empty(odoo, shop):
    """ "An empty cell is an explicit empty, never the default: pricelist and warehouse become false, price_unit 0.0" """
    columns = [*shop.COLUMNS, "pricelist_id/.id", "warehouse_id/.id"]
    rows = [[*row, "", ""] for row in shop.order_rows(shop.name("order"), [{"price": ""}])]
    [id] = odoo.load("sale.order", columns, rows)["ids"]
    order = odoo.read_one("sale.order", id, "pricelist_id", "warehouse_id", "order_line")
    assert order["pricelist_id"] is False and order["warehouse_id"] is False
    assert odoo.read_one("sale.order.line", order["order_line"][0], "price_unit")["price_unit"] == 0.0


def test_an_empty_date_order_is_an_assertion_error(odoo, shop):
    """ "date_order raises AssertionError" """
    answer = odoo.call("sale.order", "load", fields=list(shop.COLUMNS), data=shop.order_rows(shop.name("order"), [{}], date=""), context=CREATE_ONCE)
    assert "AssertionError" in answer.text


def test_an_empty_line_name_is_reported_misleadingly(shop):
    """'an empty line name gives a misleading "Order Reference" error'"""
    answer = shop.load_orders(shop.order_rows(shop.name("order"), [{"name": ""}]))
    assert answer["ids"] is False and any("Order Reference" in text for text in messages(answer))


def test_negative_lines_notes_and_sections_load_and_confirm(odoo, shop):
    """ "Negative-price lines (discount, gift card) and `line_note`/`line_section` lines load, confirm and invoice." """
    _, id = shop.new_order(
        {"price": "30"},
        {"price": "-5.50", "name": "Discount"},
        {"display_type": "line_note", "name": "A note"},
        {"display_type": "line_section", "name": "A section"},
    )
    assert odoo.read_one("sale.order", id, "amount_total")["amount_total"] == 24.5
    odoo.call("sale.order", "action_confirm", ids=[id]).ok()
    assert odoo.read_one("sale.order", id, "state")["state"] == "sale"


def test_quantities_and_discounts_are_rounded_to_two_decimals(odoo, shop):
    """ "Quantities and discount percent are rounded to 2 decimals… price_unit keeps 6 decimals." """
    _, id = shop.new_order({"quantity": "1.239", "discount": "33.336", "price": "1.234567"})
    [line] = odoo.read_one("sale.order", id, "order_line")["order_line"]
    read = odoo.read_one("sale.order.line", line, "product_uom_qty", "discount", "price_unit")
    assert (read["product_uom_qty"], read["discount"], read["price_unit"]) == (1.24, 33.34, 1.234567)


def test_a_comma_is_no_decimal_point(shop):
    """'`"1,50"` is an error'"""
    answer = shop.load_orders(shop.order_rows(shop.name("order"), [{"price": "1,50"}]))
    assert answer["ids"] is False and "1,50" in messages(answer)[0]


def test_absurd_figures_are_accepted(odoo, shop):
    """ "`1e12 × 1e12` is accepted: check figures before sending" """
    _, id = shop.new_order({"price": "1e12", "quantity": "1e12"})
    assert odoo.read_one("sale.order", id, "amount_total")["amount_total"] == pytest.approx(1e24)


def test_datetimes_are_read_in_the_users_zone_without_tz(odoo, shop):
    """'Datetime cells are read in the user's time zone unless the context has `tz:"UTC"`.'"""
    _, utc = shop.new_order(date="2026-07-01 12:00:00")
    assert odoo.read_one("sale.order", utc, "date_order")["date_order"] == "2026-07-01 12:00:00"
    context = {"mode": "update", "noupdate": True, "tz": "America/New_York"}
    [elsewhere] = shop.load_orders(shop.order_rows(shop.name("order"), [{}], date="2026-07-01 12:00:00"), context)["ids"]
    assert odoo.read_one("sale.order", elsewhere, "date_order")["date_order"] == "2026-07-01 16:00:00"


def test_an_error_rolls_the_whole_call_back_and_names_the_order(odoo, shop):
    """ "Error at order 17 of 50: HTTP 200, `ids:false`, message with `record:16` (0-based order), `rows` (0-based rows), field and text; none of the 50 is created" """
    names = [shop.name("order") for _ in range(50)]
    rows = []
    for number, name in enumerate(names):
        rows += shop.order_rows(name, [{"price": "x" if number == 16 else "1"}, {}])
    answer = shop.load_orders(rows)
    assert answer["ids"] is False
    [message] = answer["messages"]
    assert message["type"] == "error" and message["record"] == 16 and message["rows"] == {"from": 32, "to": 33} and message["field"] == "order_line"
    found = odoo.search_read("ir.model.data", [["module", "=", "syncline_contract"], ["name", "in", [name.split(".")[1] for name in names]]], "res_id")
    assert found == []


def test_all_bad_orders_are_listed_at_most_ten(shop):
    """ "all bad orders are listed, at most 10" """
    three = shop.load_orders([row for number in range(6) for row in shop.order_rows(shop.name("order"), [{"price": "x" if number % 2 else "1"}])])
    assert [message["record"] for message in three["messages"] if message["type"] == "error"] == [1, 3, 5]
    many = shop.load_orders([row for _ in range(20) for row in shop.order_rows(shop.name("order"), [{"price": "x"}])])
    assert len([message for message in many["messages"] if message["type"] == "error"]) == 10


def test_a_refusal_is_also_listed_at_an_innocent_record_0(odoo, shop):
    """ "after a UserError/ValidationError the first message is a copy with `record:0`; if messages 0 and k have the same text, record 0 is innocent" """
    rows = [[shop.name("customer"), "Good", "", ""], [shop.name("customer"), "Good too", "", ""], [shop.name("customer"), "Bad", "FR", "FR123"]]
    answer = odoo.load("res.partner", ["id", "name", "country_id", "vat"], rows)
    assert answer["ids"] is False
    first, second = answer["messages"]
    assert (first["record"], second["record"]) == (0, 2) and first["message"] == second["message"]


def test_an_unknown_column_is_a_500(odoo, shop):
    """ "Unknown column: 500 ValueError." """
    answer = odoo.call("res.partner", "load", fields=["id", "no_such_field"], data=[[shop.name("customer"), "x"]])
    assert answer.status == 500 and "ValueError" in answer.error


def test_an_order_without_lines_loads_and_confirms(odoo, shop):
    """ "An order without lines loads and even confirms." """
    [id] = odoo.load("sale.order", ["id", "partner_id/id"], [[shop.name("order"), shop.partner]])["ids"]
    odoo.call("sale.order", "action_confirm", ids=[id]).ok()
    assert odoo.read_one("sale.order", id, "state", "order_line") == {"id": id, "state": "sale", "order_line": []}


def test_the_same_id_twice_in_one_call(odoo, shop):
    """ "The same external id twice in one call: the second updates the first." """
    external = shop.name("customer")
    ids = odoo.load("res.partner", ["id", "name"], [[external, "First"], [external, "Second"]], OVERWRITE)["ids"]
    assert ids[0] == ids[1] and odoo.read_one("res.partner", ids[0], "name")["name"] == "Second"


def test_a_line_id_reused_moves_the_line(odoo, shop):
    """ "A line's external id reused under another order moves the line there, even with noupdate" """
    line = shop.name("line")
    _, first = shop.new_order({"id": line}, {"price": "1"})
    _, second = shop.new_order({"id": line, "price": "3"})
    assert len(odoo.read_one("sale.order", first, "order_line")["order_line"]) == 1
    order = odoo.read_one("sale.order", second, "order_line", "amount_untaxed")
    assert len(order["order_line"]) == 1 and order["amount_untaxed"] == 3.0


def test_lines_without_an_id_are_duplicated_by_a_reload(odoo, shop):
    """ "lines without an external id are duplicated by a re-load" """
    external = shop.name("order")
    columns = ["id", "partner_id/id", "order_line/product_id/id", "order_line/name"]
    row = [external, shop.partner, shop.product, "Line"]
    [id] = odoo.load("sale.order", columns, [row], OVERWRITE)["ids"]
    odoo.load("sale.order", columns, [row], OVERWRITE)
    assert len(odoo.read_one("sale.order", id, "order_line")["order_line"]) == 2


def test_deleting_a_record_deletes_its_external_id(odoo, shop):
    """ "Deleting a record deletes its external id: a later load creates it again." """
    external, id = shop.new_order()
    odoo.call("sale.order", "unlink", ids=[id]).ok()
    again = shop.load_orders(shop.order_rows(external, [{}]))["ids"]
    assert again and again != [id]


def test_a_space_in_an_external_id_is_refused(shop):
    """ "A space in an external id is refused." """
    assert shop.load_orders(shop.order_rows(shop.name("order") + " x", [{}]))["ids"] is False


def test_an_unknown_reference_names_field_and_value(shop):
    """Relations are addressed by external id; what cannot be found is a message, not a failure."""
    answer = shop.load_orders(shop.order_rows(shop.name("order"), [{"product": "syncline_contract.nowhere"}]))
    assert answer["ids"] is False and "syncline_contract.nowhere" in messages(answer)[0]
