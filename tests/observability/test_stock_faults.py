"""As test_faults.py, for stock and for Shopify's Admin API."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from live import FACTOR, Watched, watched
from order_checks import QUICK as ORDER_CHECKS
from runbook import COMMON
from stack import Stock, wait_until
from stack.stack import merged
from stock_flow import StockFlow

pytestmark = pytest.mark.stack

YOUNG = 5  # Seconds after which a value is not in flight any more, with the settings below.
# Nothing is healed by itself, so that the page's commands are what mends it.
SETTINGS = {"stock": {"sync_delay": "1s", "clock_skew": "1s", "nightly_at": "", "changed_every": "0s", "healing": "off"}}


@pytest.fixture(scope="module")
def shared() -> Iterator[Watched]:
    with watched(Stock(items=40, order_status=0, reconciliation_settings=merged(ORDER_CHECKS, SETTINGS))) as running:
        yield running


@pytest.fixture
def stock(shared: Watched) -> Iterator[StockFlow]:
    flow = StockFlow(shared.flow)
    flow.heal()
    yield flow
    flow.heal()


def compare(system: Watched) -> str:
    """A run of the comparison, as the nightly one; its id."""
    COMMON.run('synclinectl reconcile stock --shop eu --wait --reason "night"', system.variables())
    runs = json.loads(COMMON.run("synclinectl -o json reconcile list --shop eu", system.variables()))
    return str((runs["items"] if isinstance(runs, dict) else runs)[0]["run"])


def test_levels_were_typed_over(shared: Watched, stock: StockFlow) -> None:
    alert = "SynclineStockDiverges"
    sku = stock.sku()
    stock.count(sku, 20)
    stock.shows("eu", sku, 20, seconds=60)
    time.sleep(YOUNG)
    stock.shopify.control("shops/eu/levels", "POST", {"sku": sku, "location": stock.locations["eu"][0], "name": "available", "delta": 7, "quiet": True})
    time.sleep(YOUNG)
    run = compare(shared)
    found = shared.fires(alert, 120)
    assert found["labels"]["class"] == "drift" and found["labels"]["shop"] == "eu"
    assert sku in shared.does(alert, "Diagnosis", RUN=run, SKU=sku)
    shared.does(alert, "Mitigation", "backfill stock")
    stock.shows("eu", sku, 20, seconds=60)
    time.sleep(YOUNG)
    compare(shared)  # As the page has it; once more, because the value was young in the page's own.
    shared.clears(alert, 120)


def test_shopify_does_not_let_us_in(shared: Watched, stock: StockFlow) -> None:
    alert = "SynclineShopifyAccessFails"
    stock.shopify.control("faults", "POST", {"kind": "http_error", "shop": "eu", "status": 403})
    found = shared.fires(alert, 120)
    assert found["labels"]["shop"] == "eu"
    shared.does(alert, "Diagnosis")
    assert not [other for other in shared.firing(alert) if other["labels"]["shop"] == "us"]
    stock.heal()  # The token is good again.
    shared.does(alert, "Mitigation", "reconcile orders")
    shared.clears(alert, 3600 / FACTOR + 30)


def test_a_change_does_not_reach_shopify(shared: Watched, stock: StockFlow) -> None:
    alert = "SynclineStockStuck"
    sku = stock.sku()
    stock.count(sku, 10)
    stock.shows("eu", sku, 10, seconds=60)
    stock.shopify.control("faults", "POST", {"kind": "http_error", "status": 503})
    stock.count(sku, 11)
    found = shared.fires(alert, 180)
    assert found["labels"]["area"] == "stock"
    shared.does(alert, "Diagnosis")
    stock.heal()
    shared.does(alert, "Mitigation", "backfill stock")
    stock.shows("eu", sku, 11, seconds=90)
    wait_until(lambda: stock.sync.metric("syncline_inventory_sync_unsent_pairs") == 0, 180, "inventory-sync counts nothing unsent", interval=1)
    shared.clears(alert, 60)
