"""A level told by the warehouse is what Shopify shows, whatever happens on the way."""

import time

import pytest
from stack import wait_until
from stock_flow import now


def test_a_count_travels_to_both_shops(stock):
    sku = stock.sku()
    stock.count(sku, 12)
    for shop in ("eu", "us"):
        stock.shows(shop, sku, 12, on_hand=12)


def test_five_three_five_arrives(stock):
    sku = stock.sku()
    for quantity in (5, 3, 5):
        stock.count(sku, quantity)
        stock.shows("eu", sku, quantity)


def test_an_older_level_does_not_win(stock):
    sku = stock.sku()
    later, earlier = now(-5), now(-60)
    assert stock.push({"reports": [{"location": "MAIN", "sku": sku, "quantity": 9, "observed_at": later}]}) == 202
    stock.shows("eu", sku, 9)
    assert stock.push({"reports": [{"location": "MAIN", "sku": sku, "quantity": 2, "observed_at": earlier}]}) == 202
    # A delta later than the level counts, once; one from before it does not.
    change = {"location": "MAIN", "sku": sku, "delta": -4}
    for _ in range(2):
        assert stock.push({"adjustments": [{**change, "id": f"{sku}-late", "observed_at": now(-1)}, {**change, "id": f"{sku}-early", "observed_at": earlier}]}) == 202
    stock.shows("eu", sku, 5)
    time.sleep(2)
    stock.shows("eu", sku, 5, seconds=1)


def test_a_sale_and_its_shipment(stock):
    """Sold: committed goes up at once. Shipped: a report from before the shipment must not raise what can be sold."""
    sku = stock.sku()
    stock.count(sku, 10)
    stock.shows("eu", sku, 10)
    order = stock.sell("eu", sku, 3)
    stock.shows("eu", sku, 7, on_hand=10)
    # The other shop sells from the same shelf.
    stock.shows("us", sku, 7)
    before = now()
    stock.fulfil("eu", order)
    stock.shows("eu", sku, 7, on_hand=7)
    assert stock.push({"reports": [{"location": "MAIN", "sku": sku, "quantity": 10, "observed_at": before}]}) == 202
    time.sleep(3)
    stock.shows("eu", sku, 7, on_hand=7, seconds=5)
    stock.count(sku, 7)
    stock.shows("eu", sku, 7, on_hand=7)
    stock.shows("us", sku, 7)


def test_what_the_checkout_sells_stands_in_the_erp(stock):
    """The ERP of a local stack did not know what its shops sell: every such order was held for its product."""
    sku = stock.sku()
    stock.count(sku, 10)
    for shop in ("eu", "us"):
        stock.shows(shop, sku, 10)
    taxed = {"tax_rate": "0.20", "taxes_included": True, "shipping": {"price": "4.90"}}
    sold = {shop: stock.sell(shop, sku, 2, **more) for shop, more in (("eu", taxed), ("us", {}))}
    for shop, total in (("eu", 24.90), ("us", 20.00)):
        name = f"syncline.{shop}_order_{sold[shop]['id']}"
        wait_until(lambda name=name: stock.flow.erp.orders(name).get(name, {}).get("state") == "sale", 30, f"{name} stands in the ERP, confirmed")
        document = stock.flow.erp.orders(name)[name]
        assert document["amount_total"] == total
        assert [line["quantity"] for line in document["lines"] if line["sku"] == sku] == [2]


@pytest.mark.parametrize("kind", ["throttled", "http_error", "answer_lost", "internal_error", "malformed"])
def test_a_fault_of_shopify_loses_nothing(stock, kind):
    sku = stock.sku()
    rule = {"kind": kind, "times": 3}
    if kind == "http_error":
        rule["status"] = 503
    stock.shopify.control("faults", "POST", rule)
    stock.count(sku, 8)
    stock.shows("eu", sku, 8, seconds=60)
    stock.shows("us", sku, 8, seconds=60)


def test_a_change_by_hand_is_read_not_overwritten_unseen(stock):
    sku = stock.sku()
    stock.count(sku, 20)
    stock.shows("eu", sku, 20)
    # A sale Syncline does not hear of: an unexplained fall. A newer level must not raise what can be sold above it.
    stock.shopify.control("shops/eu/levels", "POST", {"sku": sku, "location": stock.locations["eu"][0], "name": "available", "delta": -6, "quiet": True})
    stock.count(sku, 21)
    wait_until(lambda: len(stock.history("eu", sku)) >= 2, 30, "the change is seen")
    time.sleep(3)
    assert stock.level("eu", sku)["available"] <= 15, stock.history("eu", sku)


def test_nothing_negative_and_no_unchecked_write(stock):
    sku = stock.sku()
    stock.count(sku, 1)
    stock.shows("eu", sku, 1)
    assert stock.push({"adjustments": [{"location": "MAIN", "sku": sku, "delta": -5, "id": f"{sku}-lost", "observed_at": now()}]}) == 202
    stock.shows("eu", sku, 0)
    for shop in ("eu", "us"):
        summary = stock.summary(shop)
        assert summary["writes_without_compare"] == 0
        assert stock.shopify.control(f"shops/{shop}/budget")["unprovoked_overruns"] == 0
