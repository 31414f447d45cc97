"""Orders that keep coming, batch after batch of loadgen, and what must have become of them."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
import urllib.request
from collections import Counter

from cluster import Cluster
from stack.outcome import Expectation, Findings, compare, compare_waiting
from stack.process import wait_until

# Orders a second, of all shops together. A machine that cannot: SYNCLINE_OPERATING_ORDERS_PER_SECOND=50.
RATE = int(os.environ.get("SYNCLINE_OPERATING_ORDERS_PER_SECOND", "200"))
BATCH_SECONDS = 10


class Load:
    """`with Load(cluster) as load:` sends RATE orders a second until the block ends; then settled() and compared()."""

    def __init__(self, cluster: Cluster, *, first_order: int = 0, rate: int = RATE, mix: str = "single") -> None:
        self.cluster = cluster
        self.rate = rate
        self.mix = mix
        self.reports: list[dict] = []
        self._first = first_order
        self._batches: list[int] = []
        self._end = threading.Event()
        self._failed = ""
        self._thread = threading.Thread(target=self._run, name="load")

    def _options(self, first: int) -> list[str]:
        orders = self.rate * BATCH_SECONDS
        shops = ",".join(shop.alias for shop in self.cluster.shops)
        options = ["--seed", "7", "--first-order", str(first), "--orders", str(orders), "--rate", str(self.rate), "--shops", shops]
        return [*options, "--kinds", "plain", "--mix", self.mix, "--duplicates", "0.02"]

    def __enter__(self) -> Load:
        self._thread.start()
        wait_until(lambda: self._batches, 10, "the load has begun")
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        assert not self._failed, self._failed

    def _run(self) -> None:
        loadgen = str(self.cluster.bin / "loadgen")
        secrets = [word for shop in self.cluster.shops for word in ("--secret", f"{shop.alias}={self.cluster.folder / 'secrets' / f'shopify-{shop.alias}'}")]
        first = self._first
        while not self._end.is_set():
            self._batches.append(first)
            done = subprocess.run([loadgen, "send", "--ingress", self.cluster.ingress_url, *secrets, *self._options(first)], capture_output=True, text=True)
            if done.stdout.strip():
                self.reports.append(json.loads(done.stdout))
            if done.returncode != 0:
                self._failed = f"not every webhook was acknowledged: {done.stdout}{done.stderr}"
                return
            first += self.rate * BATCH_SECONDS  # More than each shop has had.

    def wait_batches(self, count: int) -> None:
        wait_until(lambda: len(self.reports) >= count or self._failed, 120, "loadgen has sent its batches")

    # ---- what came of it

    def answers(self) -> Counter:
        return sum((Counter({int(status): count for status, count in report["by_status"].items()}) for report in self.reports), Counter())

    def errors(self) -> Counter:
        return sum((Counter(report["errors"]) for report in self.reports), Counter())

    def rate_seen(self) -> float:
        """Deliveries a second that were acknowledged while it lasted."""
        return sum(report["acknowledged"] for report in self.reports) / max(0.001, sum(report["duration_seconds"] for report in self.reports))

    def expected(self) -> Expectation:
        loadgen = self.cluster.bin / "loadgen"
        parts = [Expectation.of(loadgen, self._options(first)) for first in self._batches]
        return Expectation([order for part in parts for order in part.orders], {})

    def settled(self, seconds: float = 300) -> None:
        """Nothing is left to read, under way, parked or unsent, in any deployment."""
        left: dict[str, float] = {}

        def done() -> bool:
            left.clear()
            for pod in self.cluster.all_pods():
                for name in ("syncline_consumer_lag_records", "syncline_in_flight_records", "syncline_outbox_unsent"):
                    value = _metric(pod.admin, name)
                    if value > 0:
                        left[f"{pod.name} {name}"] = value
            return not left

        still = 0
        deadline = time.monotonic() + seconds
        while still < 5:  # Lag is told every second or so: five good looks in a row.
            still = still + 1 if done() else 0
            assert time.monotonic() < deadline, f"not settled after {seconds} s: {left}"
            time.sleep(1)

    def compared(self) -> Findings:
        """Everything that this cluster was ever sent, against everything in the ERP."""
        self.cluster.ordered += self.expected().orders
        expected = Expectation(self.cluster.ordered, {})
        findings = compare(self.cluster, expected)
        compare_waiting(self.cluster, expected, findings)
        return findings


def _metric(admin: str, name: str) -> float:
    with urllib.request.urlopen(f"http://{admin}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((name + "{", name + " ")))


class Watch:
    """Looks twice a second at what a deployment has settled; `longest_pause` is the longest time in which that did not grow."""

    def __init__(self, cluster: Cluster, deployment: str) -> None:
        self.cluster = cluster
        self.deployment = deployment
        self.longest_pause = 0.0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"watch {deployment}")

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        most, since = 0.0, time.monotonic()
        while not self._end.wait(0.5):
            settled = self.cluster.settled_by(self.deployment)
            now = time.monotonic()
            if settled > most:
                most, since = settled, now
            self.longest_pause = max(self.longest_pause, now - since)
