"""docs/operating/capacity.md says what tools/capacity.py computes from the measured figures, and that computes as it should."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest
from page import Page
from stack.paths import ROOT

specification = importlib.util.spec_from_file_location("capacity", ROOT / "tools/capacity.py")
capacity = importlib.util.module_from_spec(specification)
sys.modules["capacity"] = capacity
specification.loader.exec_module(capacity)

ORDER = capacity.Costs({"order-export": 10.0, "ingress": 1.0}, {"order_export.inbox": 1000.0, "order_export.export_orders": 500.0}, {"orders.v1": 2000.0}, 2.0, 4000.0)
REPORT = capacity.Costs({"inventory-sync": 0.02}, {"inventory_sync.positions": 100.0}, {"inventory.v1": 100.0}, 0.01, 500.0)


def test_the_page_is_as_computed() -> None:
    page = capacity.PAGE.read_text()
    assert capacity.written(page, capacity.FIGURES.read_text()) == page, "run tools/capacity.py --write"
    rows = [line for line in Page("capacity").part("Profiles").splitlines() if line.startswith("|")]
    assert len(rows) > 15


def test_the_pages_command_works() -> None:
    [fence] = Page("capacity").fences("sh")
    said = subprocess.run(["bash", "-c", fence], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    assert "| orders a day | 20,000 |" in said and "order-export: cores → instances" in said


def test_needs_are_the_arithmetic_of_costs() -> None:
    # 86,400 orders a day at ten times the mean: 10 a second.
    load = capacity.Load("x", 86_400, 864_000, 1_000, peak=10, years=1, replicas=3, core_share=0.5, commits_max=15)
    found = capacity.needs(load, ORDER, REPORT)
    assert found["orders/s at peak"] == "10.0"
    assert found["order-export: cores → instances"] == "0.10 → 2"  # Two are the least.
    assert found["PostgreSQL: commits/s"] == "21"  # 10 × 2 + 100 × 0.01
    assert found["PostgreSQL servers, by commits"] == "2"
    assert found["PostgreSQL: inboxes"] == capacity.size(86_400 * 37 * 1000)
    assert found["PostgreSQL: ledgers after 1 years"] == capacity.size(86_400 * 365 * 500)
    assert found["PostgreSQL: stock"] == capacity.size(100 * 3 * 1000)
    assert found["Kafka: disk, all copies"] == capacity.size(3 * (86_400 * 2000 * 30 + 864_000 * 100 * 7))


def test_more_than_the_partitions_feed_is_said() -> None:
    load = capacity.Load("x", 86_400 * 100, 0, 0, peak=10, core_share=0.5)
    found = capacity.needs(load, ORDER, REPORT)
    assert found["order-export: cores → instances"] == "10.00 → 20 (at most 12: split)"
    assert "split" not in found["ingress: cores → instances"]


@pytest.mark.parametrize("words", [["--orders-per-day", "-1"], ["--orders-per-day", "x"], ["--orders-per-day", "5", "--core-share", "0"]])
def test_what_means_nothing_is_refused(words: list[str]) -> None:
    done = subprocess.run([str(ROOT / "tools/capacity.py"), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "error" in done.stderr


def test_missing_figures_are_named() -> None:
    with pytest.raises(capacity.Missing, match="tools/dev bench costs"):
        capacity.table(capacity.PROFILES, "# Benchmarks\n")
