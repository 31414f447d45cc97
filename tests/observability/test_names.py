"""Metrics, alerts, dashboards, runbooks and pages name each other: a name that exists on one side only fails here."""

from __future__ import annotations

import re

import known
import pytest
import yaml
from promql import names_in

# Metrics that no board and no alert shows, and why.
NOT_SHOWN: dict[str, str] = {}
METRIC = re.compile(r"`((?:syncline|process)_[a-z_]+)(?:\{[^`]*\})?`")
ALERT = re.compile(r"\bSyncline[A-Z][A-Za-z]+\b")


def named_by_files(paths: list) -> dict[str, str]:
    return {str(path.relative_to(known.ROOT)): path.read_text() for path in paths}


def pages() -> dict[str, str]:
    return named_by_files([*sorted(known.RUNBOOKS.glob("*.md")), known.SLO_PAGE])


def runbooks() -> set[str]:
    return {path.stem for path in known.RUNBOOKS.glob("*.md")} - {"README"}


def check_expression(expression: str, where: str) -> set[str]:
    """Every metric and label of it exists; the metrics."""
    names = names_in(expression)
    unknown = names.metrics - known.series().keys()
    assert not unknown, f"{where}: {unknown} is not in docs/metrics.md and not recorded"
    for metric, labels in names.matchers.items():
        assert labels <= known.series()[metric] | {"service"}, f"{where}: {metric} has no label {labels - known.series()[metric]}"
    available = {label for metric in names.metrics for label in known.series()[metric]}
    assert names.grouped <= available, f"{where}: no metric of it has the label {names.grouped - available}"
    return names.metrics


@pytest.mark.parametrize(
    "expression",
    [
        "sum by (service) (rate(syncline_order_export_money_total[5m]))",
        'sum(rate(syncline_events_total{result="done"}[5m]))',
        "sum by (shop) (rate(syncline_events_total[5m]))",
        "syncline_event_age_seconds",  # A histogram has only its parts.
        "slo:syncline_sli_error:ratio_rate12h > 0.1",
        "max by (connection) (syncline_held_keys)",  # Only the circuit has that label.
        "histogram_quantile(0.5, sum by (le) (rate(syncline_in_flight_records[5m])))",
    ],
)
def test_a_name_that_does_not_exist_is_found(expression: str) -> None:
    with pytest.raises(AssertionError):
        check_expression(expression, "here")


@pytest.mark.parametrize(
    "expression, metrics, labels, grouped",
    [
        ('time() - max by (shop) (a_seconds{kind="x"}) > 36 * 3600 or b_total', {"a_seconds", "b_total"}, {"kind"}, {"shop"}),
        ("sum(rate(a_total[5m]) * on (job, instance) group_left (connection) c:d:info)", {"a_total", "c:d:info"}, set(), {"job", "instance", "connection"}),
        ("a_total unless a_total offset 1h", {"a_total"}, set(), set()),
        ('a{x="by (y) {z=1}",w!~"v"} > bool 0', {"a"}, {"x", "w"}, set()),
        ("count by (l) (a) and on () vector(1)", {"a"}, set(), {"l"}),
    ],
)
def test_names_are_read(expression: str, metrics: set[str], labels: set[str], grouped: set[str]) -> None:
    found = names_in(expression)
    assert (found.metrics, set().union(*found.matchers.values()), found.grouped) == (metrics, labels, grouped)


@pytest.mark.parametrize("rule", known.rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_names_what_exists(rule: dict) -> None:
    check_expression(rule["expr"], rule.get("alert") or rule["record"])


def test_queries_name_what_exists() -> None:
    for query in known.queries():
        check_expression(known.filled(query.expression), str(query))
    for uid, board in known.boards().items():
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                inner = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"])
                assert inner, f"{uid}: {variable['query']}"
                for metric in check_expression(known.filled(inner[1]), f"{uid}: variable {variable['name']}"):
                    assert inner[2] in known.series()[metric] | {"namespace"}


def test_every_metric_is_shown_or_listed_with_its_reason() -> None:
    used = {metric for rule in known.rules() for metric in names_in(rule["expr"]).metrics}
    used |= {metric for query in known.queries() for metric in names_in(known.filled(query.expression)).metrics}
    shown = {re.sub(r"_(bucket|sum|count)$", "", metric) if metric not in known.metrics() else metric for metric in used}
    assert known.metrics().keys() - shown - NOT_SHOWN.keys() == set(), "neither on a board nor in an alert"
    assert NOT_SHOWN.keys() & shown == set() and NOT_SHOWN.keys() <= known.metrics().keys()


def test_every_recording_is_used() -> None:
    text = " ".join([rule["expr"] for rule in known.rules()] + [query.expression for query in known.queries()])
    recorded = {rule["record"] for rule in known.rules() if "record" in rule}
    assert {name for name in recorded if not re.search(rf"{re.escape(name)}\b", text)} == set()


def test_alerts_and_runbooks_are_pairs() -> None:
    assert runbooks() == known.alert_names()


def test_alerts_that_are_named_exist() -> None:
    for where, text in {**pages(), **named_by_files([known.ALERTMANAGER, *known.RULE_TESTS.glob("*.yaml")])}.items():
        assert set(ALERT.findall(text)) <= known.alert_names(), where


def test_the_page_of_objectives_lists_every_alert_as_it_is() -> None:
    rows = re.findall(r"^\| `(Syncline\w+)` \| ([a-z, ]+) \| (\w+) \|", known.SLO_PAGE.read_text(), re.MULTILINE)
    listed = {name: (set(severities.split(", ")), area) for name, severities, area in rows}
    shipped = {
        name: (
            {rule["labels"]["severity"] for rule in known.alerts() if rule["alert"] == name},
            next(rule["labels"]["area"] for rule in known.alerts() if rule["alert"] == name),
        )
        for name in known.alert_names()
    }
    assert listed == shipped
    objectives = {rule["labels"]["slo"] for rule in known.rules() if rule.get("record") == "slo:syncline_objective:ratio"}
    assert {name for name in objectives if f"| `{name}` |" in known.SLO_PAGE.read_text()} == objectives


def test_metrics_that_pages_name_exist() -> None:
    for where, text in {**pages(), **named_by_files([known.ROOT / "docs/operating/looking-in.md"])}.items():
        assert set(METRIC.findall(text)) <= known.metrics().keys(), where


def test_boards_that_are_named_exist() -> None:
    boards = set(known.boards())
    assert {rule["annotations"]["dashboard"] for rule in known.alerts()} <= boards
    for where, text in pages().items():
        assert set(re.findall(r"`(syncline-[a-z-]+)`", text)) <= boards, where
    for name in runbooks():
        shown = {rule["annotations"]["dashboard"] for rule in known.alerts() if rule["alert"] == name}
        assert shown == set(re.findall(r"^Dashboard: `([a-z-]+)`\.$", (known.RUNBOOKS / f"{name}.md").read_text(), re.MULTILINE)), name


def test_links_of_pages_lead_somewhere() -> None:
    for path in [*known.RUNBOOKS.glob("*.md"), known.SLO_PAGE]:
        for target in re.findall(r"\]\(([^)#]+)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"
        for target in re.findall(r"`((?:docs|deploy|helm|tools)/[\w./-]+)`", path.read_text()):
            assert (known.ROOT / target).exists(), f"{path.name}: {target}"


def test_what_routing_matches_on_stands_on_alerts() -> None:
    text = known.ALERTMANAGER.read_text()
    areas = {rule["labels"]["area"] for rule in known.alerts()}
    matched = {value for values in re.findall(r'area =~? "([a-z|]+)"', text) for value in values.split("|")}
    assert matched <= areas
    assert set(re.findall(r'severity = "([a-z]+)"', text)) == {rule["labels"]["severity"] for rule in known.alerts()}
    assert set(re.findall(r"area says whose it is: ([a-z, ]+)\.", text)[0].split(", ")) == areas
    by = {label for route in re.findall(r"group_by: \[([^\]]*)\]", text) for label in route.split(", ")}
    grouped = {label for rule in known.alerts() for label in names_in(rule["expr"]).grouped} | {"alertname"}
    assert by <= grouped
    assert yaml.safe_load(text)["route"]["receiver"]
