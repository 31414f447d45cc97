"""What Shopify shows is compared with what is true: a value changed behind everybody's back is found, told and healed; a run that wants
too much stops and asks."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import tempfile
import time
import urllib.error
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from stack import Stack, Stock, wait_until
from stack.paths import ROOT
from stock_flow import StockFlow

TOPIC = "syncline.reconciliation.v1"
YOUNG = 4  # Seconds after which a value is not in flight any more, with the settings below.
# Short times instead of the shipped ones, so that a test need not wait for minutes until a value is no longer young.
QUICK = {"lease": "3s", "stock": {"sync_delay": "1s", "clock_skew": "1s", "nightly_at": "", "changed_every": "0s"}}
HEALINGS = {2: "proposed", 3: "corrected", 4: "braked"}


class Reconciled(StockFlow):
    """The stock flow with reconciliation beside it."""

    _skus = itertools.count(1)  # Of this stack, which has fewer items than the others.

    def sku(self) -> str:
        return f"SKU-{next(self._skus):07d}"

    @property
    def reconciliation(self):
        return self.stack.services["reconciliation/0"]

    def synclinectl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.stack.bin / "synclinectl"), "--targets", str(self.stack.targets_file), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    def sabotage(self, shop: str, sku: str, delta: int) -> None:
        """Somebody changes the level, and the webhook that tells of it is swallowed."""
        body = {"sku": sku, "location": self.locations[shop][0], "name": "available", "delta": delta, "quiet": True}
        self.shopify.control(f"shops/{shop}/levels", "POST", body)

    def settled(self, *skus: str) -> None:
        """Until nothing of them is on its way, on either side, and nothing of them is young."""
        for sku in skus:
            wait_until(lambda sku=sku: self.quiet(sku), 30, f"{sku} rests")
        time.sleep(YOUNG)

    def quiet(self, sku: str) -> bool:
        page = self.stack.admin(self.sync, "/admin/stock/state/eu?limit=2000")
        found = [item for item in page["items"] if item["sku"] == sku]
        return bool(found) and not any(item["in_flight"] for item in found)

    def begin(self, shop: str) -> str:
        return self.stack.admin(self.reconciliation, "/admin/stock-runs", "POST", {"shop": shop, "reason": "test"})["id"]

    def run(self, run: str) -> dict[str, Any]:
        return self.stack.admin(self.reconciliation, f"/admin/stock-runs/{run}")

    def ended(self, run: str, seconds: float = 60) -> dict[str, Any]:
        wait_until(lambda: self.run(run)["state"] in ("done", "braked", "failed"), seconds, f"the run {run} ends")
        return self.run(run)

    def events(self, run: str) -> list[Any]:
        """Everything reconciliation.v1 holds of a run."""
        consumer = Consumer({"bootstrap.servers": self.stack.kafka.brokers, "group.id": "reconciliation-test", "enable.auto.commit": False})
        found = []
        try:
            for number in consumer.list_topics(TOPIC, 10).topics[TOPIC].partitions:
                at = TopicPartition(TOPIC, number, 0)
                end = consumer.get_watermark_offsets(at, timeout=10)[1]
                consumer.assign([at])
                seen = 0
                while seen < end:
                    message = consumer.poll(10)
                    assert message is not None and message.error() is None
                    seen = message.offset() + 1
                    event = DIVERGENCE.FromString(message.value())
                    if event.run_id == run:
                        found.append(event)
        finally:
            consumer.close()
        return found

    def announced(self, run: str, count: int) -> list[Any]:
        """Waits for the relay, and a moment longer for what should not come."""
        wait_until(lambda: len(self.events(run)) >= count, 20, f"{count} events of {run}")
        time.sleep(1.5)
        return self.events(run)


def divergence_type() -> Any:
    with tempfile.NamedTemporaryFile() as out:
        command = ["protoc", f"-I{ROOT / 'proto'}", "--include_imports", f"--descriptor_set_out={out.name}", "syncline/reconciliation/v1/events.proto"]
        subprocess.run(command, check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(Path(out.name).read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    found = pool.FindMessageTypeByName("syncline.reconciliation.v1.StockDivergenceDetected")
    return message_factory.MessageFactory(pool).GetPrototype(found)


DIVERGENCE = divergence_type()


@pytest.fixture(scope="module")
def stack():
    folder = Path(tempfile.mkdtemp(prefix="syncline-reconciliation-"))
    folder.chmod(0o755)
    try:
        with Stack(folder, connections=[], stock=Stock(items=400, order_status=0, reconciliation_settings=QUICK)) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def flow(stack):
    made = Reconciled.__new__(Reconciled)
    made.flow = None
    made.stack = stack
    made.shopify = stack.shopify
    made.warehouse = stack.warehouse
    made.locations = {shop.alias: [place["id"] for place in stack.shopify.control(f"shops/{shop.alias}/summary")["locations"]] for shop in stack.shops}
    made.heal()
    yield made
    made.heal()


def test_a_level_changed_behind_everybodys_back_is_found_told_and_healed(flow):
    skus = [flow.sku() for _ in range(30)]
    for sku in skus:
        flow.count(sku, 12)
    for sku in skus:
        flow.shows("eu", sku, 12)
        flow.shows("us", sku, 12)
    flow.sabotage("eu", skus[0], +5)
    flow.settled(*skus)
    assert flow.level("eu", skus[0])["available"] == 17  # Nobody has noticed.
    done = flow.synclinectl("reconcile", "stock", "--shop", "eu", "--wait", "--reason", "a customer asked", "-o", "json")
    assert done.returncode == 0, done.stderr
    rows = [row for row in json.loads(done.stdout) if row["class"] == "drift"]
    assert [(row["side"], row["sku"], row["shopify"], row["other"], row["healing"]) for row in rows] == [("syncline", skus[0], "17", "12", "corrected")]
    assert rows[0]["likely_cause"] == "changed_in_shopify"
    run = flow.stack.admin(flow.reconciliation, "/admin/stock-runs?shop=eu")["items"][0]
    drifts = [event for event in flow.announced(run["id"], 1) if getattr(event, "class") == 3]
    assert [(event.shop, event.sku, event.shopify_quantity.value, HEALINGS[event.healing]) for event in drifts] == [("eu", skus[0], "17", "corrected")]
    flow.shows("eu", skus[0], 12, on_hand=12)
    for sku in skus[1:]:
        assert flow.level("eu", sku)["available"] == 12
    drift = {"shop": "eu", "side": "syncline", "class": "drift"}
    wait_until(lambda: flow.reconciliation.metric("syncline_reconciliation_stock_differences", **drift) == 1, 15, "the metric shows it")
    assert flow.reconciliation.metric("syncline_reconciliation_stock_last_success_timestamp_seconds", shop="eu", kind="asked") > time.time() - 120
    # The next run says that it holds.
    flow.settled(skus[0])
    again = flow.ended(flow.begin("eu"))
    assert again["comparisons"][0]["by_class"]["drift"] == 0, again


def test_a_run_that_wants_too_much_stops_and_asks(flow):
    skus = [flow.sku() for _ in range(25)]
    for sku in skus:
        flow.count(sku, 3)
    for sku in skus:
        flow.shows("eu", sku, 3)
        flow.count(sku, 0)
    for sku in skus:
        flow.shows("eu", sku, 0)
    # As if the warehouse's snapshot had been empty: Shopify has stock, Syncline wants none.
    for sku in skus:
        flow.sabotage("eu", sku, +10)
    flow.settled(*skus)
    stopped = flow.synclinectl("reconcile", "stock", "--shop", "eu", "--wait", "--reason", "nightly doubts")
    assert stopped.returncode == 1, stopped.stderr
    assert "stopped: would" in stopped.stderr
    run = flow.stack.admin(flow.reconciliation, "/admin/stock-runs?shop=eu&state=braked")["items"][0]["id"]
    braked = flow.announced(run, 25)
    assert sorted(event.sku for event in braked if event.healing == 4) == sorted(skus)
    wait_until(lambda: flow.reconciliation.metric("syncline_reconciliation_stock_braked_runs", shop="eu") == 1, 15, "the metric shows it")
    # Nothing was written.
    assert [flow.level("eu", sku)["available"] for sku in skus] == [10] * len(skus)
    approved = flow.synclinectl("reconcile", "approve", run, "--reason", "the shelf was cleared")
    assert approved.returncode == 0, approved.stderr
    for sku in skus:
        flow.shows("eu", sku, 0)
    assert flow.ended(run)["state"] == "done"
    corrected = [event for event in flow.announced(run, 50) if event.healing == 3]
    assert sorted(event.sku for event in corrected) == sorted(skus)


@pytest.mark.kills
def test_a_process_killed_in_the_middle_of_a_run_ends_it_after_its_restart(flow):
    sku = flow.sku()
    flow.count(sku, 7)
    flow.shows("eu", sku, 7)
    flow.sabotage("eu", sku, +2)
    flow.settled(sku)
    flow.shopify.control("faults", "POST", {"kind": "bulk_slow", "ms": 6000, "times": 1})
    run = flow.begin("eu")
    wait_until(lambda: flow.run(run)["state"] == "comparing", 10, "the run compares")
    time.sleep(1)
    flow.reconciliation.process.kill()
    flow.stack.restart("reconciliation/0")
    ended = flow.ended(run)
    assert (ended["state"], ended["attempts"]) == ("done", 2)
    drifts = [event for event in flow.announced(run, 1) if getattr(event, "class") == 3]
    assert [event.sku for event in drifts] == [sku]
    flow.shows("eu", sku, 7)


@pytest.mark.parametrize("kind, code", [("bulk_fail", "bulk_failed"), ("bulk_cut", "connection_broken")])
def test_a_bulk_query_that_breaks_is_put_off_and_nothing_of_it_counts(flow, kind, code):
    sku = flow.sku()
    flow.count(sku, 7)
    flow.shows("eu", sku, 7)
    flow.settled(sku)
    flow.shopify.control("faults", "POST", {"kind": kind, "times": 50})
    run = flow.begin("eu")
    wait_until(lambda: flow.run(run)["error_code"] == code, 60, f"the run is put off because of {code}")
    assert flow.run(run)["state"] == "waiting"
    assert flow.events(run) == []
    # The other shop has its run meanwhile.
    flow.shopify.control("faults", "DELETE")
    other = flow.ended(flow.begin("us"))
    assert other["state"] == "done"


def test_what_makes_no_sense_is_refused(flow):
    for body in ({"shop": "xx", "reason": "x"}, {"shop": "eu"}, {"shop": "eu", "reason": "x", "location": "1"}, {"shop": "eu", "reason": "x", "source": "nobody"}):
        with pytest.raises(urllib.error.HTTPError) as refused:
            flow.stack.admin(flow.reconciliation, "/admin/stock-runs", "POST", body)
        assert refused.value.code == 400
    for path in ("/admin/stock-runs/none", "/admin/stock-runs/none/report/syncline"):
        with pytest.raises(urllib.error.HTTPError) as missing:
            flow.stack.admin(flow.reconciliation, path)
        assert missing.value.code == 404


def test_changed_levels_are_compared_by_themselves(flow):
    """Between two nights: only what Shopify changed since is looked at, and a drift in it is healed."""
    sku = flow.sku()
    flow.count(sku, 9)
    flow.shows("us", sku, 9)
    flow.settled(sku)
    first = flow.ended(flow.begin("us"))
    assert first["state"] == "done"
    flow.sabotage("us", sku, +4)
    time.sleep(YOUNG)
    path = flow.stack.folder / "config" / "reconciliation-0.yaml"
    before = path.read_text()
    try:
        path.write_text(before.replace("changed_every: 0s", "changed_every: 5s"))
        flow.reconciliation.process.stop()
        flow.stack.restart("reconciliation/0")
        flow.shows("us", sku, 9)
        found = flow.stack.admin(flow.reconciliation, "/admin/stock-runs?shop=us&limit=1000")["items"]
        changed = [run for run in found if run["kind"] == "changed" and run["corrections"]]
        assert changed, found
        pairs = flow.run(changed[-1]["id"])["comparisons"][0]["pairs"]
        assert 0 < pairs < first["comparisons"][0]["pairs"]
    finally:
        path.write_text(before)
        flow.reconciliation.process.stop()
        flow.stack.restart("reconciliation/0")
