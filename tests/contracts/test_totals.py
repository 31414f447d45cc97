"""Totals (7.2)."""

from __future__ import annotations

import pytest


def total(odoo, shop, *lines):
    _, id = shop.new_order(*lines)
    order = odoo.read_one("sale.order", id, "amount_untaxed", "amount_tax", "amount_total", "order_line")
    return order


def test_the_company_default_is_round_globally(odoo):
    """ "The company default is `round_globally`." """
    [company] = odoo.search_read("res.company", [["id", "=", 1]], "tax_calculation_rounding_method")
    assert company["tax_calculation_rounding_method"] in ("round_globally", "round_per_line")


CASES = [
    # lines, rate, inside the price, per line, globally
    ([{"price": "0.99"}] * 3, 20, False, 3.57, 3.56),
    ([{"price": "1.02"}] * 5, 20, False, 6.10, 6.12),
    ([{"price": "19.99", "discount": "10"}] * 10, 20, True, 179.90, 179.91),
    ([{"price": "9.99"}], 20, True, 9.99, 9.99),
    ([{"price": "100.00"}], 20, False, 120.00, 120.00),
    ([{"price": "9.25"}], 20, False, 11.10, 11.10),
]


@pytest.mark.parametrize("method", ["round_per_line", "round_globally"])
@pytest.mark.parametrize("lines, rate, inside, per_line, globally", CASES)
def test_both_rounding_methods(odoo, shop, rounding, lines, rate, inside, per_line, globally, method):
    """ "3 × 0.99 + 20 %: 3.57 against 3.56; 5 × 1.02 + 20 %: 6.10 against 6.12; 10 × 19.99 incl. 20 % − 10 %: 179.90 against 179.91" """
    rounding(method)
    tax = str(shop.tax(rate, inside))
    order = total(odoo, shop, *({**line, "taxes": tax} for line in lines))
    assert order["amount_total"] == (per_line if method == "round_per_line" else globally)


def test_lines_do_not_add_up_under_round_globally(odoo, shop, rounding):
    """ "Under round_globally a 9.99 tax-included line reads 10.0 and lines do not add up to the order." """
    rounding("round_globally")
    order = total(odoo, shop, {"price": "9.99", "taxes": str(shop.tax(20, True))})
    line = odoo.read_one("sale.order.line", order["order_line"][0], "price_total")
    assert (order["amount_total"], line["price_total"]) == (9.99, 10.0)


def test_amounts_are_json_floats(odoo, shop, rounding):
    """ "Amounts are JSON floats (`1.8499999999999996`)" """
    rounding("round_per_line")
    order = total(odoo, shop, {"price": "9.25", "taxes": str(shop.tax(20))})
    text = odoo.call("sale.order.line", "read", ids=order["order_line"], fields=["price_tax", "price_subtotal"]).text
    assert "1.8499999999999996" in text and '"price_subtotal": 9.25' in text
    text = odoo.call("sale.order", "read", ids=[order["id"]], fields=["amount_total"]).text
    assert '"amount_total": 11.1' in text


def test_a_whole_amount_is_printed_with_a_fraction(odoo, shop):
    """ "reads 10.0" """
    order = total(odoo, shop, {"price": "10"})
    assert '"amount_total": 10.0' in odoo.call("sale.order", "read", ids=[order["id"]], fields=["amount_total"]).text


def test_read_silently_leaves_out_missing_ids(odoo, shop):
    """ "`read` silently leaves out missing ids" """
    _, id = shop.new_order()
    assert [row["id"] for row in odoo.read("sale.order", [id, 2_000_000_000], "name")] == [id]


def test_many_orders_by_client_order_ref(odoo, shop, run_id):
    """ "or `client_order_ref in […]`" """
    references = [f"#{run_id}-{number}" for number in range(5)]
    ids = [shop.new_order(ref=reference)[1] for reference in references]
    found = odoo.search_read("sale.order", [["client_order_ref", "in", references]], "id")
    assert sorted(row["id"] for row in found) == sorted(ids)


def pricelist(odoo, currency: str) -> int:
    currencies = odoo.search_read("res.currency", [["name", "=", currency]], "id", context={"active_test": False})
    odoo.write("res.currency", [currencies[0]["id"]], active=True).ok()
    found = odoo.search_read("product.pricelist", [["currency_id", "=", currencies[0]["id"]]], "id")
    if found:
        return found[0]["id"]
    return odoo.call("product.pricelist", "create", vals_list=[{"name": f"Contract {currency}", "currency_id": currencies[0]["id"]}]).ok()[0]


@pytest.mark.parametrize("currency, price, expected", [("USD", "12.34", 12.34), ("GBP", "0.10", 0.10), ("JPY", "12.34", 12.0)])
def test_the_pricelist_decides_the_currency(odoo, shop, currency, price, expected):
    """ "USD/GBP through the pricelist are stored as sent. No exchange rate: no error, rate 1.0. JPY rounds to whole units." """
    columns = [*shop.COLUMNS, "pricelist_id/.id"]
    rows = [[*row, str(pricelist(odoo, currency)) if number == 0 else ""] for number, row in enumerate(shop.order_rows(shop.name("order"), [{"price": price}]))]
    [id] = odoo.load("sale.order", columns, rows)["ids"]
    order = odoo.read_one("sale.order", id, "currency_id", "amount_total")
    assert order["currency_id"][1] == currency and order["amount_total"] == expected


def test_currency_id_in_a_create_is_ignored(odoo, shop):
    """ "`currency_id` in a sale.order create is silently ignored (EUR sent, USD stored)" """
    partner = odoo.call("ir.model.data", "check_object_reference", module="syncline_contract", xml_id=shop.partner.split(".")[1]).ok()[1]
    [yen] = odoo.search_read("res.currency", [["name", "=", "JPY"]], "id", context={"active_test": False})
    [id] = odoo.call("sale.order", "create", vals_list=[{"partner_id": partner, "currency_id": yen["id"]}]).ok()
    assert odoo.read_one("sale.order", id, "currency_id")["currency_id"][1] != "JPY"
