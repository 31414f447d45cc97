"""Chaos tests: the same stack as the flows, broken on purpose, seeded so that a failure can be repeated."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parent / "flows", HERE.parents[1] / "tools"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

pytest.register_assert_rewrite("support")

from support.flow import Flow, running, start_what_ended  # noqa: E402
from support.ids import Ids  # noqa: E402


@pytest.fixture(scope="session")
def shared_flow():
    with running("chaos") as flow:
        yield flow


@pytest.fixture
def flow(shared_flow: Flow):
    """The shared stack, whole again before and after."""
    shared_flow.ids = Ids()
    mend(shared_flow)
    yield shared_flow
    mend(shared_flow)


def mend(flow: Flow) -> None:
    start_what_ended(flow.stack)
    flow.erp.heal()
    flow.erp.settings(latency_ms=0)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    outcome = yield
    report = outcome.get_result()
    found = next((value for value in getattr(item, "funcargs", {}).values() if isinstance(value, Flow)), None)
    if report.when == "call" and report.failed and found is not None:
        for service in found.stack.services.values():
            report.sections.append((f"log of {service.name}", service.process.tail(25)))
