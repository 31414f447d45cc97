"""Stock flows: a warehouse, ingress, inventory-sync and Shopify's Admin API as a sandbox, beside the order path. One stack a session."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parent / "flows", HERE.parents[1] / "tools"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

pytest.register_assert_rewrite("support")

from stack import Stock  # noqa: E402
from stock_flow import StockFlow  # noqa: E402
from support.flow import running  # noqa: E402


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "kills: takes a minute or more, most by killing a process; not in the default run (label chaos)")


@pytest.fixture(scope="session")
def shared_stack():
    with running("stock", stock=Stock(items=1600)) as flow:
        yield flow


@pytest.fixture
def stock(shared_stack):
    """The shared stack with SKUs of its own and no faults, before and after."""
    flow = StockFlow(shared_stack)
    flow.heal()
    yield flow
    flow.heal()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    outcome = yield
    report = outcome.get_result()
    found = next((value for value in getattr(item, "funcargs", {}).values() if isinstance(value, StockFlow)), None)
    if report.when == "call" and report.failed and found is not None:
        for service in found.stack.services.values():
            report.sections.append((f"log of {service.name}", service.process.tail(15)))
