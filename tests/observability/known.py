"""What exists: metrics (docs/metrics.md, which is made from --describe), rules, dashboards, runbooks. One reader of each."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "helm/syncline/files/rules/syncline.yaml"
DASHBOARDS = ROOT / "helm/syncline/files/dashboards"
RUNBOOKS = ROOT / "deploy/runbooks"
ALERTMANAGER = ROOT / "deploy/alertmanager/alertmanager.yaml"
SLO_PAGE = ROOT / "docs/operating/slo.md"
RULE_TESTS = ROOT / "tests/observability/rules"

# What Prometheus adds to every series, and the histogram's own.
TARGET_LABELS = {"namespace", "job", "instance", "service"}
# Prometheus's own series.
PROMETHEUS_SERIES = {"up": {"job", "instance"}, "ALERTS": {"alertname", "alertstate", "severity", "area", "namespace"}}
ROW = re.compile(r"^\| `([a-z_]+)` \| (counter|gauge|histogram) \| ([^|]*) \|", re.MULTILINE)


@cache
def metrics() -> dict[str, tuple[str, frozenset[str]]]:
    """Name → (type, labels)."""
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for name, kind, labels in ROW.findall((ROOT / "docs/metrics.md").read_text()):
        own = frozenset(re.findall(r"`([a-z_]+)`", labels))
        assert found.setdefault(name, (kind, own)) == (kind, own), f"{name} is declared in two ways"
    assert len(found) > 100, "docs/metrics.md could not be read"
    return found


@cache
def series() -> dict[str, frozenset[str]]:
    """What a query may name → labels it may have: metrics, the parts of histograms, recording rules, Prometheus's own."""
    found = {name: frozenset(labels) for name, labels in PROMETHEUS_SERIES.items()}
    for name, (kind, labels) in metrics().items():
        known = labels | TARGET_LABELS
        if kind == "histogram":
            found.update({f"{name}_bucket": known | {"le"}, f"{name}_sum": known, f"{name}_count": known})
        else:
            found[name] = known
    for rule in rules():
        if "record" in rule:
            grouped = {label.strip() for inner in re.findall(r"\bby \(([^)]*)\)", rule["expr"]) for label in inner.split(",")}
            inherited = {label for name in found if ":" in name and name in rule["expr"] for label in found[name]}
            found[rule["record"]] = frozenset(grouped | inherited | set(rule.get("labels", {}))) | found.get(rule["record"], frozenset())
    return found


@cache
def rules() -> tuple[dict[str, Any], ...]:
    return tuple(rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"])


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def alert_names() -> set[str]:
    return {rule["alert"] for rule in alerts()}


@dataclass(frozen=True)
class Query:
    board: str
    panel: str
    unit: str
    expression: str
    legend: str

    def __str__(self) -> str:
        return f"{self.board} / {self.panel}: {self.expression}"


@cache
def boards() -> dict[str, dict[str, Any]]:
    return {path.stem: json.loads(path.read_text()) for path in sorted(DASHBOARDS.glob("*.json"))}


def panels() -> list[tuple[str, dict[str, Any]]]:
    return [(uid, panel) for uid, board in boards().items() for panel in board["panels"] if panel["type"] != "row"]


@cache
def queries() -> tuple[Query, ...]:
    return tuple(
        Query(uid, panel["title"], panel["fieldConfig"]["defaults"]["unit"], target["expr"], target["legendFormat"])
        for uid, panel in panels()
        for target in panel["targets"]
    )


def filled(expression: str, *, interval: str = "1m", span: str = "1h") -> str:
    """The query as Grafana would send it with everything selected."""
    for name, value in {"$__rate_interval": interval, "$__range": span, "$namespace": ".*", "$shop": ".*", "$service": ".*", "$connection": ".*"}.items():
        expression = expression.replace(name, value)
    return expression
