"""Flow tests: real ingress, order-export, Kafka and PostgreSQL, the sandbox Odoo. One stack for the whole session."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parents[1] / "tools"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

pytest.register_assert_rewrite("support")

from support.erp import no_twins  # noqa: E402
from support.flow import Flow, running  # noqa: E402
from support.ids import Ids  # noqa: E402


@pytest.fixture(scope="session")
def shared_flow():
    with running("flows") as flow:
        yield flow
        no_twins(flow.erp)


@pytest.fixture
def flow(shared_flow: Flow):
    """The shared stack with ids of its own and no faults, before and after."""
    shared_flow.ids = Ids()
    shared_flow.erp.heal()
    yield shared_flow
    shared_flow.erp.heal()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    """On failure: the end of each service's log."""
    outcome = yield
    report = outcome.get_result()
    found = next((value for value in getattr(item, "funcargs", {}).values() if isinstance(value, Flow)), None)
    if report.when == "call" and report.failed and found is not None:
        for service in found.stack.services.values():
            report.sections.append((f"log of {service.name}", service.process.tail(25)))
