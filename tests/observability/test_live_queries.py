"""Every query of every board against a live Prometheus that scrapes a real stack under a little of everything: none is empty, and what
comes back fits its unit."""

from __future__ import annotations

import math
import subprocess
import time
from collections.abc import Iterator

import known
import pytest
from order_checks import QUICK as ORDER_CHECKS
from order_checks import OrderChecks
from stack import Helpdesk, Stock, wait_until
from stack.prometheus import Prometheus
from stack.stack import merged
from stock_flow import StockFlow, now
from support.flow import Flow, running

pytestmark = pytest.mark.stack

# Queries that only a fault, a day or another kind of source fills, by metric, and why. Their names and labels are checked all the same.
ONLY_BY_FAULT = {
    "syncline_inventory_sync_files_total": "a source that drops files",
    "syncline_inventory_sync_source_polls_total": "a source that is a server (Odoo as a source of stock)",
    "syncline_inventory_sync_source_levels_total": "a source that is a server",
    "syncline_reconciliation_stock_runs_not_made_total": "a run that could not be made",
    "syncline_reconciliation_orders_errors_total": "an error of the check",
    "syncline_shopify_token_renewals_total": "tokens that expire",
    "syncline_shopify_deprecated_calls_total": "an answer that calls something deprecated",
    "syncline_shopify_denied_fields_total": "a scope that is missing",
    "syncline_shopify_throttled_total": "a bucket that is empty",
    "syncline_order_status_shop_away": "a shop that does not take writes",
    "syncline_order_export_undecidable_total": "two snapshots of one version",
    "syncline_ingress_replays_total": "a replay of a webhook that could not be mapped",
    "syncline_inventory_sync_stale_total": "a write that found another value",
}
# Reconciliation's, so that a comparison need not wait for minutes until a value is no longer young.
YOUNG_SOON = {"stock": {"sync_delay": "1s", "clock_skew": "1s", "nightly_at": "", "changed_every": "0s"}}
AGE_MAX = 40 * 86400  # Beyond it a "seconds" panel shows a timestamp, not an age.


@pytest.fixture(scope="module")
def flow() -> Iterator[Flow]:
    with running("boards", stock=Stock(items=60, reconciliation=0), helpdesk=Helpdesk(), prometheus=False) as flow:
        checks = OrderChecks(flow)
        uri = {"orders": {"subscriptions": {"uri": f"{flow.stack.ingress_url}/webhooks/shopify"}}}
        flow.stack.stock.reconciliation_settings = merged(merged(ORDER_CHECKS, YOUNG_SOON), uri)
        flow.stack.wait_ready(flow.stack.add_reconciliation(0))
        flow.stack._write_targets()
        watch(flow)
        try:
            fill(flow, checks)
            yield flow
        finally:
            assert flow.stack.prometheus is not None
            flow.stack.prometheus.process.stop()


def watch(flow: Flow) -> None:
    """Prometheus with the shipped rules, as Stack starts it; here reconciliation had to be there before."""
    stack = flow.stack
    stack.prometheus = Prometheus(stack.folder / "prometheus", {name: service.admin for name, service in stack.services.items()}, [known.RULES])
    stack.prometheus.start()
    stack.prometheus.wait_ready()


def fill(flow: Flow, checks: OrderChecks) -> None:
    """A little of everything, twice, so that rates have two samples of every series."""
    stock = StockFlow(flow)
    for number in range(2):
        orders = [checks.order(shop) for shop in ("eu", "us") for _ in range(5)]
        for order in orders:
            checks.place(order)
        flow.exported(*orders, seconds=60)
        changed = orders[0].touch()
        flow.update(changed)
        flow.update(changed)  # Unchanged: a skip.
        refund = orders[1].refund_body(flow.ids.refund(), {orders[1].lines[0].id: 1})
        flow.refund(orders[1], refund)
        webhook = flow.sender.order_webhook("orders/create", orders[2])
        for _ in range(2):  # A redelivery.
            flow.sender.deliver(webhook)
        held = checks.order()
        held.lines[0].rate = "0.033"
        flow.place(held)
        dead = checks.order()
        flow.erp.fault(kind="refuse_record", external_ids=[dead.external_id])
        flow.place(dead)
        locked = checks.order()
        flow.erp.fault(kind="lock_record", emails=[locked.email])
        flow.place(locked)
        other = checks.order()
        other.extra = {"a_member_of_tomorrow": 1}
        flow.place(other)
        flow.sender.post(flow.sender.webhook("eu", "orders/create", b"[1,2"))
        flow.sender.post(flow.sender.webhook("eu", "themes/update", {"id": 1}))
        flow.sender.post(flow.sender.webhook("eu", "orders/create", {"id": 1}), X_Shopify_Hmac_Sha256="AAAA")
        flow.sender.post(flow.sender.order_webhook("orders/updated", orders[3]), X_Shopify_Triggered_At=None)
        for step in range(4):
            stock.count(f"SKU-000000{step + 1}", 20 + 10 * number + step)
        stock.push({"reports": [{"location": "WH/Stock", "sku": "SKU-0000005", "quantity": 5 + number, "observed_at": now()}]}, "erp-stock")
        stock.push({"adjustments": [{"location": "BER", "sku": "SKU-0000006", "delta": 1, "id": f"a{number}", "observed_at": now()}]}, "till")
        stock.push({"reports": [{"location": "WH/Stock"}]}, "erp-stock")  # Refused.
        for step in range(2):
            stock.shows("eu", f"SKU-000000{step + 1}", 20 + 10 * number + step, seconds=60)
        sold = stock.sell("eu", "SKU-0000002", 1)
        stock.fulfil("eu", sold)
        lose_a_webhook(flow, checks)
        stock.shopify.control(
            "shops/eu/levels", "POST", {"sku": "SKU-0000003", "location": stock.locations["eu"][0], "name": "available", "delta": 3, "quiet": True}
        )
        time.sleep(5)  # Until the value is not young any more.
        asked = [
            str(flow.stack.bin / "synclinectl"),
            "--targets",
            str(flow.stack.targets_file),
            "reconcile",
            "stock",
            "--shop",
            "eu",
            "--wait",
            "--reason",
            "boards",
        ]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=180, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        wait_for_scrapes(flow)


def lose_a_webhook(flow: Flow, checks: OrderChecks) -> None:
    """Shopify never sends it; the check for lost orders fetches the order."""
    checks.fault(kind="webhook_drop", topic="orders/create")
    lost = checks.order()
    checks.place(lost)
    flow.exported(lost, seconds=90)
    checks.heal()


def wait_for_scrapes(flow: Flow) -> None:
    """Until every target has been scraped three times more."""
    prometheus = flow.stack.prometheus
    assert prometheus is not None
    before = prometheus.value("max(timestamp(syncline_build_info))") or 0
    wait_until(lambda: (prometheus.value("min(timestamp(syncline_build_info))") or 0) > before + 6, 60, "three more scrapes", interval=0.5)


def excused(query: known.Query) -> bool:
    return any(metric in query.expression for metric in ONLY_BY_FAULT)


def values_of(rows: list[dict]) -> list[float]:
    return [float(row["value"][1]) for row in rows]


def test_no_query_is_empty(flow: Flow) -> None:
    prometheus = flow.stack.prometheus
    assert prometheus is not None

    def empty() -> list[str]:
        return [str(query) for query in known.queries() if not excused(query) and not prometheus.query(known.filled(query.expression, interval="2m"))]

    try:
        wait_until(lambda: not empty(), 60, "no query is empty", interval=5)
    except Exception as error:
        raise AssertionError("empty:\n" + "\n".join(empty())) from error


def test_what_only_faults_fill_stands_on_a_board_and_is_a_query(flow: Flow) -> None:
    prometheus = flow.stack.prometheus
    assert prometheus is not None
    filled = []
    for metric in ONLY_BY_FAULT:
        mine = [query for query in known.queries() if metric in query.expression]
        assert mine, f"{metric} stands on no board"
        if all([prometheus.query(known.filled(query.expression, interval="2m")) for query in mine]):
            filled.append(metric)
    print("filled although listed:", filled)  # Some are a matter of chance: an error, a bucket that ran empty.


def test_legends_are_filled(flow: Flow) -> None:
    """Every label that a legend names is on the series that come back."""
    prometheus = flow.stack.prometheus
    assert prometheus is not None
    for query in known.queries():
        wanted = {part.split("}}")[0] for part in query.legend.split("{{")[1:]}
        for row in prometheus.query(known.filled(query.expression, interval="2m")):
            missing = wanted - row["metric"].keys()  # type: ignore[attr-defined]
            assert not missing, f"{query}: {missing} is not on {row['metric']}"


def test_values_fit_their_units(flow: Flow) -> None:
    prometheus = flow.stack.prometheus
    assert prometheus is not None
    for query in known.queries():
        for value in values_of(prometheus.query(known.filled(query.expression, interval="2m"))):
            if math.isnan(value):
                continue
            if query.unit == "percentunit":
                assert value <= 1, query
            elif query.unit == "s":
                assert -5 <= value < AGE_MAX, f"{query}: {value} s is a time, not an age"
            elif query.unit != "d":
                assert value >= 0, query
