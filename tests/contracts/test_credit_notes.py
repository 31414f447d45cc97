"""Invoices and credit notes (7.4)."""

from __future__ import annotations

import pytest
from odoo_client import CREATE_ONCE

COLUMNS = (
    "id",
    "move_type",
    "partner_id/id",
    "invoice_date",
    "ref",
    "invoice_line_ids/id",
    "invoice_line_ids/product_id/id",
    "invoice_line_ids/name",
    "invoice_line_ids/quantity",
    "invoice_line_ids/price_unit",
    "invoice_line_ids/tax_ids/.id",
)


def load_refund(odoo, shop, *lines: tuple[str, str], extra: dict[str, str] | None = None, external: str = "", context: dict | None = None) -> tuple[str, int]:
    """(quantity, price) of each line; `extra` are further columns of the first row."""
    extra = extra or {}
    external = external or shop.name("refund")
    rows = []
    for number, (quantity, price) in enumerate(lines):
        head = [external, "out_refund", shop.partner, "2026-11-20", "R1"] if number == 0 else [""] * 5
        rows.append([*head, shop.name("line"), shop.product, "Returned", quantity, price, "", *(extra.values() if number == 0 else [""] * len(extra))])
    answer = odoo.load("account.move", [*COLUMNS, *extra], rows, context or CREATE_ONCE)
    assert answer["ids"], answer
    return external, answer["ids"][0]


def invoiced_order(odoo, shop) -> tuple[int, int, int]:
    """A confirmed, delivered and invoiced order: its id, its line's, its invoice's."""
    _, id = shop.new_order({"quantity": "2", "price": "10"})
    odoo.call("sale.order", "action_confirm", ids=[id]).ok()
    for transfer in odoo.search_read("stock.picking", [["sale_id", "=", id]], "id"):
        odoo.call("stock.picking", "button_validate", ids=[transfer["id"]]).ok()
    [wizard] = odoo.call("sale.advance.payment.inv", "create", vals_list=[{"advance_payment_method": "delivered", "sale_order_ids": [[6, 0, [id]]]}]).ok()
    odoo.call("sale.advance.payment.inv", "create_invoices", ids=[wizard]).ok()
    order = odoo.read_one("sale.order", id, "invoice_ids", "order_line")
    [invoice] = order["invoice_ids"]
    odoo.call("account.move", "action_post", ids=[invoice]).ok()
    return id, order["order_line"][0], invoice


def test_figures_of_a_credit_note_are_positive(odoo, shop):
    """ "Figures of an out_refund are positive." """
    _, id = load_refund(odoo, shop, ("2", "10"), ("1", "5.5"))
    move = odoo.read_one("account.move", id, "amount_total", "state", "move_type")
    assert (move["amount_total"], move["state"], move["move_type"]) == (25.5, "draft", "out_refund")


def test_a_posted_credit_note_is_left_alone_by_create_once(odoo, shop):
    """ "a posted credit note" is left alone"""
    external, id = load_refund(odoo, shop, ("1", "10"))
    odoo.call("account.move", "action_post", ids=[id]).ok()
    assert load_refund(odoo, shop, ("9", "99"), external=external) == (external, id)
    assert odoo.read_one("account.move", id, "amount_total", "state") == {"id": id, "amount_total": 10.0, "state": "posted"}


def test_post_answers_false_and_refuses_a_second_time(odoo, shop):
    """ "`action_post` answers `false` = success; a second time 422 "must be in draft"; a batch is all or nothing." """
    _, first = load_refund(odoo, shop, ("1", "10"))
    _, second = load_refund(odoo, shop, ("1", "10"))
    assert odoo.call("account.move", "action_post", ids=[first]).ok() is False
    again = odoo.call("account.move", "action_post", ids=[first])
    assert again.status == 422 and "must be in draft" in again.message
    assert odoo.call("account.move", "action_post", ids=[second, first]).status == 422
    assert odoo.read_one("account.move", second, "state")["state"] == "draft"


def test_zero_posts_and_negative_does_not(odoo, shop):
    """ "A zero credit note posts; a negative total is 422 at posting." """
    _, zero = load_refund(odoo, shop, ("1", "10"), ("1", "-10"))
    odoo.call("account.move", "action_post", ids=[zero]).ok()
    _, negative = load_refund(odoo, shop, ("1", "10"), ("1", "-11"))
    assert odoo.call("account.move", "action_post", ids=[negative]).status == 422


def test_journal_and_currency_are_computed_when_absent(odoo, shop):
    """ "Journal, currency, account, taxes are computed only if the column is absent." """
    _, id = load_refund(odoo, shop, ("1", "10"))
    move = odoo.read_one("account.move", id, "journal_id", "currency_id")
    assert move["journal_id"] and move["currency_id"]


def test_invoice_origin_links_nothing(odoo, shop):
    """ "`invoice_origin` links nothing" """
    _, order = shop.new_order()
    odoo.call("sale.order", "action_confirm", ids=[order]).ok()
    name = odoo.read_one("sale.order", order, "name")["name"]
    load_refund(odoo, shop, ("1", "10"), extra={"invoice_origin": name})
    assert odoo.read_one("sale.order", order, "invoice_ids")["invoice_ids"] == []


def test_sale_line_ids_makes_the_order_invoiceable_again(odoo, shop):
    """ "`sale_line_ids/id` does: a credit note so linked makes the order "to invoice" again" """
    order, line, _ = invoiced_order(odoo, shop)
    assert odoo.read_one("sale.order", order, "invoice_status")["invoice_status"] == "invoiced"
    external = odoo.call("sale.order.line", "get_external_id", ids=[line]).ok()[str(line)]
    load_refund(odoo, shop, ("1", "10"), extra={"invoice_line_ids/sale_line_ids/id": external})
    assert odoo.read_one("sale.order", order, "invoice_status")["invoice_status"] == "to invoice"


def test_sale_line_ids_on_an_order_never_invoiced(odoo, shop):
    """ "on an order never invoiced qty_invoiced becomes −1" """
    line = shop.name("line")
    _, order = shop.new_order({"id": line})
    odoo.call("sale.order", "action_confirm", ids=[order]).ok()
    load_refund(odoo, shop, ("1", "10"), extra={"invoice_line_ids/sale_line_ids/id": line})
    [id] = odoo.read_one("sale.order", order, "order_line")["order_line"]
    assert odoo.read_one("sale.order.line", id, "qty_invoiced")["qty_invoiced"] == -1.0


def test_reversed_entry_reconciles_at_posting(odoo, shop):
    """ "`reversed_entry_id/id` lets posting reconcile with the invoice by itself" """
    _, _, invoice = invoiced_order(odoo, shop)
    external = shop.name("invoice")
    module, name = external.split(".")
    odoo.load("account.move", ["id", ".id", "ref"], [[external, str(invoice), "linked"]], {})
    _, refund = load_refund(odoo, shop, ("2", "10"), extra={"reversed_entry_id/id": external})
    before = odoo.read_one("account.move", invoice, "amount_residual")["amount_residual"]
    odoo.call("account.move", "action_post", ids=[refund]).ok()
    assert before > odoo.read_one("account.move", invoice, "amount_residual")["amount_residual"]
    assert odoo.count_by_external_id(module, name) == 1


def test_an_inactive_currency_loads_and_cannot_be_posted(odoo, shop):
    """ "Inactive currency: loads, posting is 422." """
    currencies = odoo.search_read("res.currency", [["name", "=", "BHD"]], "id", context={"active_test": False})
    odoo.write("res.currency", [currencies[0]["id"]], active=False).ok()
    _, id = load_refund(odoo, shop, ("1", "10"), extra={"currency_id/.id": str(currencies[0]["id"])})
    assert odoo.call("account.move", "action_post", ids=[id]).status == 422


def test_posting_in_a_locked_period_moves_the_date(odoo, shop):
    """ "Posting in a locked period does not fail: the credit note's `date` silently becomes today." """
    _, id = load_refund(odoo, shop, ("1", "10"))
    [company] = odoo.search_read("res.company", [["id", "=", 1]], "fiscalyear_lock_date")
    odoo.write("res.company", [1], fiscalyear_lock_date="2026-11-20").ok()
    try:
        odoo.call("account.move", "action_post", ids=[id]).ok()
    finally:
        odoo.write("res.company", [1], fiscalyear_lock_date=company["fiscalyear_lock_date"]).ok()
    assert odoo.read_one("account.move", id, "date")["date"] > "2026-11-20"


@pytest.mark.parametrize("billing, invoices", [({}, 1), ({"consolidated_billing": False}, 2)])
def test_the_wizard_consolidates(odoo, shop, billing, invoices):
    """ "The `sale.advance.payment.inv` wizard consolidates orders of one customer into one invoice unless `consolidated_billing:false`." """
    partner = shop.new_partner()
    orders = [shop.new_order(partner=partner)[1] for _ in range(2)]
    odoo.call("sale.order", "action_confirm", ids=orders).ok()
    for transfer in odoo.search_read("stock.picking", [["sale_id", "in", orders]], "id"):
        odoo.call("stock.picking", "button_validate", ids=[transfer["id"]]).ok()
    [wizard] = odoo.call(
        "sale.advance.payment.inv", "create", vals_list=[{"advance_payment_method": "delivered", "sale_order_ids": [[6, 0, orders]], **billing}]
    ).ok()
    odoo.call("sale.advance.payment.inv", "create_invoices", ids=[wizard]).ok()
    found = {id for row in odoo.read("sale.order", orders, "invoice_ids") for id in row["invoice_ids"]}
    assert len(found) == invoices


def test_cancelling_an_order_leaves_its_invoice_posted(odoo, shop):
    """ "cancelling an order leaves its posted invoice posted" """
    order, _, invoice = invoiced_order(odoo, shop)
    odoo.call("sale.order", "action_cancel", ids=[order]).ok()
    assert odoo.read_one("account.move", invoice, "state")["state"] == "posted"
