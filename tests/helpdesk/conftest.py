"""Flows of the help desk: real ingress, order-export, helpdesk-sync, Kafka and PostgreSQL; Odoo and Zendesk as sandboxes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parent / "flows", HERE.parents[1] / "tools"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

pytest.register_assert_rewrite("support")

from desk import Desk  # noqa: E402
from stack import Helpdesk  # noqa: E402
from support.flow import running  # noqa: E402
from support.ids import Ids  # noqa: E402

# The sandbox answers at once or never: the shipped minutes would only be waited for.
QUICK = {"zendesk": {"longest_request": "4s"}, "limits": {"call_deadline": "8s", "lease_margin": "2s"}, "ticket": {"update_every": "20s"}}


@pytest.fixture(scope="session")
def shared_desk() -> Iterator[Desk]:
    with running("helpdesk", helpdesk=Helpdesk(settings=QUICK)) as flow:
        yield Desk(flow)


@pytest.fixture
def desk(shared_desk: Desk) -> Iterator[Desk]:
    """The shared stack with ids and a missing tax of its own, and no faults before and after."""
    shared_desk.flow.ids = Ids()
    shared_desk.heal()
    shared_desk.begin()
    yield shared_desk
    shared_desk.heal()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    outcome = yield
    report = outcome.get_result()
    found = next((value for value in getattr(item, "funcargs", {}).values() if isinstance(value, Desk)), None)
    if report.when == "call" and report.failed and found is not None:
        for service in found.flow.stack.services.values():
            report.sections.append((f"log of {service.name}", service.process.tail(25)))
