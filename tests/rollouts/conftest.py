"""The chart's pods as processes of this machine, under load."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parent / "chart", HERE.parent / "flows", HERE.parents[1] / "tools"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from cluster import Cluster, running  # noqa: E402


@pytest.fixture(scope="module")
def cluster():
    with running() as started:
        yield started


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    """On failure: the end of each pod's log."""
    outcome = yield
    report = outcome.get_result()
    found = next((value for value in getattr(item, "funcargs", {}).values() if isinstance(value, Cluster)), None)
    if report.when == "call" and report.failed and found is not None:
        for pod in found.all_pods():
            report.sections.append((f"log of {pod.name}", pod.process.tail(25)))
