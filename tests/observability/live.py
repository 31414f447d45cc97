"""A local stack with a live Prometheus, and alerts as it sees them."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import known
from runbook import COMMON, fences
from shortened import shortened
from stack import Connection, Stack, Stock, wait_until
from stack.prometheus import Prometheus
from support.flow import QUICK, Flow
from support.mapping import mapping_text
from support.orders import Order

FACTOR = 60  # A minute of the rules is a second.


class Watched:
    """A flow whose alerts are looked at, with every duration of the rules FACTOR times as short."""

    def __init__(self, flow: Flow, prometheus: Prometheus) -> None:
        self.flow = flow
        self.stack = flow.stack
        self.prometheus = prometheus

    def firing(self, alert: str, severity: str = "") -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.prometheus.url}/api/v1/alerts", timeout=10) as answer:
            found = json.load(answer)["data"]["alerts"]
        return [
            entry for entry in found if entry["labels"]["alertname"] == alert and severity in ("", entry["labels"]["severity"]) and entry["state"] == "firing"
        ]

    def fires(self, alert: str, seconds: float, severity: str = "") -> dict[str, Any]:
        """Waits until it fires; its annotations are what the person on call reads, so nothing may be left open in them."""
        [first, *_] = wait_until(lambda: self.firing(alert, severity), seconds, f"{alert} {severity} fires", interval=0.5)  # type: ignore[misc]
        for text in first["annotations"].values():
            assert text and not re.search(r"<no value>|error (calling|executing)|  ", text), text
        return first

    def clears(self, alert: str, seconds: float, severity: str = "") -> None:
        wait_until(lambda: not self.firing(alert, severity), seconds, f"{alert} {severity} clears", interval=0.5)

    def order(self, **members: Any) -> Order:
        """Placed now, as the objectives count from then."""
        now = datetime.now(timezone.utc).replace(microsecond=0)
        return self.flow.order(processed_at=now, updated_at=now, **members)

    def variables(self, **own: str) -> Mapping[str, str]:
        """What a person would have set before the commands of a page."""
        doors = {"INGRESS": "ingress", "ORDER_EXPORT": "order-export/odoo-main/0", "INVENTORY_SYNC": "inventory-sync/0", "RECONCILIATION": "reconciliation/0"}
        return {
            "SYNCLINE_TARGETS": str(self.stack.targets_file),
            "TOKEN": self.stack.admin_token,
            "CONNECTION": "odoo-main",
            "SHOP": "eu",
            **{name: self.stack.services[service].admin for name, service in doors.items() if service in self.stack.services},
            **own,
        }

    def does(self, alert: str, part: str, only: str = "", **variables: str) -> str:
        """Executes the fenced commands of a part of the alert's page, those that contain `only`; what they printed."""
        chosen = [fence for fence in fences(alert, part, "sh") if only in fence]
        assert chosen, f"{alert}.md has no commands with {only!r} under {part}"
        # Looking may find nothing (1) or that a service does not answer (3); what mends has to work.
        allowed = (0, 1, 3) if part == "Diagnosis" else (0,)
        return "".join(COMMON.run(fence, self.variables(**variables), allowed) for fence in chosen)


@contextmanager
def watched(stock: Stock | None = None) -> Iterator[Watched]:
    """Ingress, order-export, a sandbox Odoo, with `stock` its services as well, and a Prometheus with the shortened rules.

    Kept when SYNCLINE_KEEP is set."""
    folder = Path(tempfile.mkdtemp(prefix="syncline-alerts-"))
    folder.chmod(0o755)
    try:
        with Stack(folder, connections=[Connection(settings=QUICK, mapping=mapping_text())], stock=stock) as stack:
            rules = folder / "rules.yaml"
            rules.write_text(shortened(known.RULES.read_text(), FACTOR))
            prometheus = Prometheus(folder / "prometheus", {name: service.admin for name, service in stack.services.items()}, [rules], interval="1s")
            prometheus.start()
            try:
                prometheus.wait_ready()
                yield Watched(Flow(stack), prometheus)
            finally:
                prometheus.process.stop()
    finally:
        if os.environ.get("SYNCLINE_KEEP"):
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
