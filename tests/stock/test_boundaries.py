"""Times at their borders, changes between a read and its write, and answers of Shopify that are neither yes nor no."""

import time

import pytest
import yaml
from stack import wait_until
from stock_flow import now


def report(stock, sku: str, quantity: int, observed_at: str, source: str = "wms-north", location: str = "MAIN") -> None:
    assert stock.push({"reports": [{"location": location, "sku": sku, "quantity": quantity, "observed_at": observed_at}]}, source) == 202


def never_above(stock, shop: str, sku: str, most: int, seconds: float, location: int = 0) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        level = stock.level(shop, sku, location)
        assert level["available"] <= most, level
        time.sleep(0.1)


def test_reports_of_the_same_second(stock):
    """The later one counts by its fraction; of two of the very same moment the lower one."""
    sku = stock.sku()
    second = now(-30)[:19]
    report(stock, sku, 9, f"{second}.900Z")
    stock.shows("eu", sku, 9)
    report(stock, sku, 4, f"{second}.100Z")
    report(stock, sku, 11, f"{second}.900Z")
    never_above(stock, "eu", sku, 9, 2)
    report(stock, sku, 8, f"{second}.900Z")
    stock.shows("eu", sku, 8)
    report(stock, sku, 12, f"{second}.901Z")
    stock.shows("eu", sku, 12)


def test_the_hour_that_comes_twice(stock):
    """Half past two summer time is before ten past two winter time."""
    sku = stock.sku()
    report(stock, sku, 5, "2026-10-25T02:30:00+02:00")
    stock.shows("eu", sku, 5)
    report(stock, sku, 8, "2026-10-25T02:10:00+01:00")
    stock.shows("eu", sku, 8)
    report(stock, sku, 3, "2026-10-25T02:59:59+02:00")
    never_above(stock, "eu", sku, 8, 1)
    stock.shows("eu", sku, 8, seconds=1)


@pytest.fixture
def with_lag(stock):
    """The mapping says that the warehouse's clock may be two minutes off."""
    stack = stock.stack
    path = stack.folder / "config/mappings/stock-main.yaml"
    before = path.read_text()

    def put(text: str) -> None:
        version = stack.postgres.query("select version from inventory_sync.mapping_applied")
        path.write_text(text)
        wait_until(lambda: stack.postgres.query("select version from inventory_sync.mapping_applied") != version, 30, "the mapping is in force", interval=0.2)

    mapping = yaml.safe_load(before)
    mapping["sources"]["wms-north"]["shipment_lag"] = "130s"
    put(yaml.safe_dump(mapping, sort_keys=False))
    yield
    put(before)


@pytest.mark.parametrize("skew", [120, -120])
def test_clocks_two_minutes_apart(stock, with_lag, skew):
    """A count from before a shipment, whose time says that it came after, must not sell the shipped pieces again."""
    sku = stock.sku()
    report(stock, sku, 10, now(skew))
    stock.shows("eu", sku, 10)
    order = stock.sell("eu", sku, 3)
    stock.fulfil("eu", order)
    stock.shows("eu", sku, 7, on_hand=7)
    report(stock, sku, 10, now(skew))
    never_above(stock, "eu", sku, 7, 3)
    stock.shows("us", sku, 7)


def test_a_sale_between_the_read_and_the_write(stock):
    """A net source writes `available`: the sale that comes between is seen, not overwritten, and counts when its order is known."""
    sku = stock.sku()
    report(stock, sku, 20, now(-5), "erp-stock", "WH/Stock")
    stock.shows("eu", sku, 20, location=1)
    stock.shopify.control("faults", "POST", {"kind": "latency", "operation": "SetQuantities", "shop": "eu", "ms": 2500, "times": 2})
    report(stock, sku, 30, now(), "erp-stock", "WH/Stock")
    wait_until(lambda: stock.shopify.control("faults")["rules"][0]["struck"] >= 1, 20, "a write is on its way")
    stock.sell("eu", sku, 6, location=stock.locations["eu"][1])
    stock.shows("eu", sku, 24, location=1)
    stock.shows("us", sku, 24, location=1)
    assert stock.summary("eu")["writes_without_compare"] == 0


def test_a_change_by_hand_between_the_read_and_the_write(stock):
    sku = stock.sku()
    stock.count(sku, 20)
    stock.shows("eu", sku, 20)
    stock.shopify.control("faults", "POST", {"kind": "latency", "operation": "SetQuantities", "shop": "eu", "ms": 2500, "times": 2})
    stock.count(sku, 26)
    wait_until(lambda: stock.shopify.control("faults")["rules"][0]["struck"] >= 1, 20, "a write is on its way")
    stock.shopify.control("shops/eu/levels", "POST", {"sku": sku, "location": stock.locations["eu"][0], "name": "available", "delta": -5, "quiet": True})
    # What fell without a known cause stays subtracted: 26 less 5.
    stock.shows("eu", sku, 21)
    never_above(stock, "eu", sku, 21, 2)
    stock.shows("us", sku, 26)


FAULTS = {
    "expired token": {"kind": "expired_token"},
    "200 with errors": {"kind": "graphql_error", "code": "INTERNAL_SERVER_ERROR", "message": "Internal error"},
    "429": {"kind": "http_error", "status": 429, "retry_after": 1},
    "502": {"kind": "http_error", "status": 502},
    "partial errors": {"kind": "partial_error", "field": "inventorySetQuantities", "code": "INTERNAL_SERVER_ERROR"},
    "request lost": {"kind": "request_lost"},
    "commit late": {"kind": "commit_late", "ms": 1500},
}


@pytest.mark.parametrize("name", FAULTS)
def test_an_answer_that_is_neither_yes_nor_no_loses_nothing(stock, name):
    sku = stock.sku()
    stock.count(sku, 2)
    stock.shows("eu", sku, 2)
    stock.shopify.control("faults", "POST", {**FAULTS[name], "times": 4})
    for quantity in (8, 5):
        stock.count(sku, quantity)
        time.sleep(0.5)
    stock.shows("eu", sku, 5, seconds=60)
    stock.shows("us", sku, 5, seconds=60)
    for shop in ("eu", "us"):
        assert stock.shopify.control(f"shops/{shop}/budget")["unprovoked_overruns"] == 0
        assert stock.summary(shop)["writes_without_compare"] == 0
