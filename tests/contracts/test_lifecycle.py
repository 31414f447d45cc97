"""Confirm, change, cancel (7.3) and what was seen of repeats (7.6)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from odoo_client import OVERWRITE, at_once


def state(odoo, id: int) -> str:
    return odoo.read_one("sale.order", id, "state")["state"]


def transfers(odoo, id: int) -> list[dict]:
    return odoo.search_read("stock.picking", [["sale_id", "=", id]], "state", "move_ids")


def confirmed(odoo, shop, *lines: dict) -> int:
    _, id = shop.new_order(*lines)
    odoo.call("sale.order", "action_confirm", ids=[id]).ok()
    return id


def delivered(odoo, shop, *lines: dict) -> int:
    id = confirmed(odoo, shop, *lines)
    for transfer in transfers(odoo, id):
        odoo.call("stock.picking", "button_validate", ids=[transfer["id"]]).ok()
    return id


def test_confirm_is_all_or_nothing_and_names_no_order(odoo, shop):
    """ "`action_confirm {"ids":[…]}` is all or nothing and its 422 names no order" """
    (_, fresh), done = shop.new_order(), confirmed(odoo, shop)
    answer = odoo.call("sale.order", "action_confirm", ids=[fresh, done])
    assert (answer.status, answer.error) == (422, "odoo.exceptions.UserError")
    name = odoo.read_one("sale.order", done, "name")["name"]
    assert name not in answer.message and str(done) not in answer.message
    assert state(odoo, fresh) == "draft"


def test_confirm_twice_is_refused(odoo, shop):
    """ "Repeats: confirm twice 422" """
    assert odoo.call("sale.order", "action_confirm", ids=[confirmed(odoo, shop)]).status == 422


def test_parallel_confirmations_of_the_same_orders(odoo, shop):
    """ "4 threads on the same 20: one 200, three 422, no double pickings." """
    rows = [row for _ in range(20) for row in shop.order_rows(shop.name("order"), [{}])]
    ids = shop.load_orders(rows)["ids"]
    answers = at_once(4, lambda _: odoo.call("sale.order", "action_confirm", ids=ids))
    assert sorted(answer.status for answer in answers) == [200, 422, 422, 422]
    assert all(len(transfers(odoo, id)) <= 1 for id in ids)


def test_confirmation_overwrites_the_date(odoo, shop):
    """ "It overwrites `date_order` with now: write it again afterwards." """
    _, id = shop.new_order(date="2026-01-02 03:04:05")
    odoo.call("sale.order", "action_confirm", ids=[id]).ok()
    now = datetime.fromisoformat(odoo.read_one("sale.order", id, "date_order")["date_order"]).replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - now) < timedelta(minutes=10)
    odoo.write("sale.order", [id], date_order="2026-01-02 03:04:05").ok()
    assert odoo.read_one("sale.order", id, "date_order")["date_order"] == "2026-01-02 03:04:05"


def test_an_overwriting_load_with_the_pricelist_is_refused(odoo, shop):
    """ "A plain (overwriting) load on a confirmed order with the pricelist column is always refused" """
    external, id = shop.new_order()
    pricelist = odoo.read_one("sale.order", id, "pricelist_id")["pricelist_id"] or [odoo.search_read("product.pricelist", [], "id", limit=1)[0]["id"]]
    odoo.call("sale.order", "action_confirm", ids=[id]).ok()
    answer = odoo.load("sale.order", ["id", "pricelist_id/.id"], [[external, str(pricelist[0])]], OVERWRITE)
    assert answer["ids"] is False


def test_an_overwriting_load_without_it_silently_applies(odoo, shop):
    """ "without it, it silently applies: quantity 1 → 9 made a second move, a partner was replaced" """
    line = shop.name("line")
    external, id = shop.new_order({"id": line, "quantity": "1"})
    odoo.call("sale.order", "action_confirm", ids=[id]).ok()
    moves = sum(len(transfer["move_ids"]) for transfer in transfers(odoo, id))
    other = shop.new_partner()
    odoo.load("sale.order", ["id", "partner_id/id", "order_line/id", "order_line/product_uom_qty"], [[external, other, line, "9"]], OVERWRITE)
    order = odoo.read_one("sale.order", id, "partner_id", "order_line")
    assert odoo.read_one("sale.order.line", order["order_line"][0], "product_uom_qty")["product_uom_qty"] == 9.0
    assert odoo.call("res.partner", "get_external_id", ids=[order["partner_id"][0]]).ok() == {str(order["partner_id"][0]): other}
    assert sum(len(transfer["move_ids"]) for transfer in transfers(odoo, id)) >= moves


def test_a_product_change_on_a_confirmed_line_is_refused(odoo, shop):
    """ "A product change on a confirmed line is refused" """
    id = confirmed(odoo, shop)
    [line] = odoo.read_one("sale.order", id, "order_line")["order_line"]
    product = odoo.call("ir.model.data", "check_object_reference", module="syncline_contract", xml_id=shop.other_product.split(".")[1]).ok()[1]
    assert odoo.write("sale.order.line", [line], product_id=product).status == 422


def test_a_locked_order_refuses_everything(odoo, shop):
    """ "a locked order refuses everything" and "action_cancel: … locked 422" """
    id = confirmed(odoo, shop)
    odoo.call("sale.order", "action_lock", ids=[id]).ok()
    [line] = odoo.read_one("sale.order", id, "order_line")["order_line"]
    assert odoo.write("sale.order.line", [line], product_uom_qty=3).status == 422
    assert odoo.call("sale.order", "action_cancel", ids=[id]).status == 422


def test_cancel_twice(odoo, shop):
    """ "action_cancel: confirmed → true and picking cancelled, again true" """
    id = confirmed(odoo, shop)
    assert odoo.call("sale.order", "action_cancel", ids=[id]).ok() is True
    assert state(odoo, id) == "cancel" and all(transfer["state"] == "cancel" for transfer in transfers(odoo, id))
    assert odoo.call("sale.order", "action_cancel", ids=[id]).ok() is True


def test_cancelling_a_delivered_order_leaves_the_transfer_done(odoo, shop):
    """ "fully delivered → true, with the picking still done: check deliveries first" """
    id = delivered(odoo, shop)
    assert odoo.call("sale.order", "action_cancel", ids=[id]).ok() is True
    assert state(odoo, id) == "cancel" and [transfer["state"] for transfer in transfers(odoo, id)] == ["done"]


def test_validating_a_transfer_twice(odoo, shop):
    """ "`button_validate` twice true without a second move" """
    id = delivered(odoo, shop, {"quantity": "2"})
    [transfer] = transfers(odoo, id)
    odoo.call("stock.picking", "button_validate", ids=[transfer["id"]]).ok()
    [line] = odoo.read_one("sale.order", id, "order_line")["order_line"]
    assert odoo.read_one("sale.order.line", line, "qty_delivered")["qty_delivered"] == 2.0
    assert transfers(odoo, id) == [transfer]


def test_a_delivered_quantity_is_the_least(odoo, shop):
    """ "what Odoo has already delivered": less than that cannot be ordered any more"""
    id = delivered(odoo, shop, {"quantity": "2"})
    [line] = odoo.read_one("sale.order", id, "order_line")["order_line"]
    assert odoo.write("sale.order.line", [line], product_uom_qty=1).status == 422


def test_writing_to_a_vanished_order(odoo, shop):
    """ "`odoo.exceptions.MissingError` | 404" """
    _, id = shop.new_order()
    odoo.call("sale.order", "unlink", ids=[id]).ok()
    answer = odoo.write("sale.order", [id], origin="x")
    assert (answer.status, answer.error) == (404, "odoo.exceptions.MissingError")


def test_only_quotations_and_cancelled_orders_can_be_deleted(odoo, shop):
    """A confirmed order is cancelled, never deleted."""
    assert odoo.call("sale.order", "unlink", ids=[confirmed(odoo, shop)]).status == 422


def test_batch_create_is_all_or_nothing(odoo, shop):
    """ "Batch create is all or nothing (one bad product of 10: 404, none created)." """
    partner = odoo.call("ir.model.data", "check_object_reference", module="syncline_contract", xml_id=shop.partner.split(".")[1]).ok()[1]
    reference = shop.name("ref")
    orders = [
        {"partner_id": partner, "client_order_ref": reference, "order_line": [[0, 0, {"product_id": 2_000_000_000 if number == 7 else 1, "name": "x"}]]}
        for number in range(10)
    ]
    assert odoo.call("sale.order", "create", vals_list=orders).status == 404
    assert odoo.search_read("sale.order", [["client_order_ref", "=", reference]], "id") == []
