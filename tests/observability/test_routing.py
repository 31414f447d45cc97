"""The routing example: amtool takes it, and every alert ends where it should."""

from __future__ import annotations

import subprocess

import known
import pytest
import yaml
from stack.paths import PROMETHEUS

AMTOOL = PROMETHEUS / "amtool"


def amtool(*arguments: str) -> str:
    done = subprocess.run([str(AMTOOL), *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_amtool_takes_it() -> None:
    assert "SUCCESS" in amtool("check-config", str(known.ALERTMANAGER))


def receiver_of(rule: dict) -> str:
    critical, area = rule["labels"]["severity"] == "critical", rule["labels"]["area"]
    if critical:
        return "page-orders" if area in ("orders", "ingress") else "page-platform"
    return {"orders": "tickets-orders", "reconciliation": "tickets-reconciliation"}.get(area, "tickets")


@pytest.mark.parametrize("rule", known.alerts(), ids=lambda rule: f"{rule['alert']}-{rule['labels']['severity']}")
def test_an_alert_ends_with_whom_it_concerns(rule: dict) -> None:
    labels = {"alertname": rule["alert"], **rule["labels"]}
    arguments = [f"{name}={value}" for name, value in labels.items()]
    assert amtool("config", "routes", "test", f"--config.file={known.ALERTMANAGER}", *arguments) == receiver_of(rule)


def test_every_receiver_is_used() -> None:
    receivers = {receiver["name"] for receiver in yaml.safe_load(known.ALERTMANAGER.read_text())["receivers"]}
    assert {receiver_of(rule) for rule in known.alerts()} == receivers
