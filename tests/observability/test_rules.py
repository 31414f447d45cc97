"""The rules: promtool takes them, each alert is shown to fire and not to fire, and each tells a person where to look."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import known
import pytest
import yaml
from promql import names_in
from shortened import shortened
from stack.paths import PROMETHEUS

PROMTOOL = PROMETHEUS / "promtool"
UNIT_TESTS = sorted(known.RULE_TESTS.glob("*.test.yaml"))


def promtool(*arguments: str | Path) -> None:
    done = subprocess.run([str(PROMTOOL), *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_takes_the_rules() -> None:
    promtool("check", "rules", "--lint=all", "--lint-fatal", known.RULES)


@pytest.mark.parametrize("file", UNIT_TESTS, ids=lambda file: file.name.removesuffix(".test.yaml"))
def test_alerts_fire_and_do_not_fire(file: Path) -> None:
    promtool("test", "rules", file)


def test_each_alert_is_shown_to_fire_and_not_to_fire() -> None:
    fires: set[tuple[str, str]] = set()
    silent: set[tuple[str, str]] = set()
    severities = {(rule["alert"], rule["labels"]["severity"]) for rule in known.alerts()}
    for file in UNIT_TESTS:
        for case in yaml.safe_load(file.read_text())["tests"]:
            for check in case["promql_expr_test"]:
                alert = re.search(r'alertname="([A-Za-z]+)"', check["expr"])
                assert alert, f"{file.name}: {check['expr']} looks at no alert"
                severity = re.search(r'severity="([a-z]+)"', check["expr"])
                shown = {pair for pair in severities if pair[0] == alert[1] and (not severity or pair[1] == severity[1])}
                assert shown, f"{file.name} tests {alert[1]}, which is no alert"
                (fires if check["exp_samples"] else silent).update(shown)
    assert severities - fires == set(), "never shown to fire"
    assert severities - silent == set(), "never shown not to fire"


@pytest.mark.parametrize("rule", known.alerts(), ids=lambda rule: f"{rule['alert']}-{rule['labels']['severity']}")
def test_an_alert_says_what_to_look_at(rule: dict) -> None:
    notes = rule["annotations"]
    assert rule["labels"]["severity"] in ("critical", "warning") and set(rule["labels"]) == {"severity", "area"}
    assert re.search(r"look (at|whether|which)", notes["summary"]), "the summary names nothing to look at"
    assert "{{ $value" in notes["description"] or "group by" in rule["expr"] or re.search(r"== (0|1)\s*$", rule["expr"]), "the description has no figure"
    assert notes["runbook_url"] == f"https://runbooks.syncline.example/{rule['alert']}.md"
    assert notes["dashboard"] in known.boards()
    labels = set(re.findall(r"\$labels\.(\w+)", notes["summary"] + notes["description"]))
    named = names_in(rule["expr"])
    available = named.grouped | {label for metric in named.metrics for label in known.series()[metric] if ":" in metric}
    assert labels <= available, f"{labels - available} are not on the alert"


def test_recording_rules_are_named_level_metric_operation() -> None:
    for rule in known.rules():
        if "record" in rule:
            assert re.fullmatch(r"[a-z_]+:[a-z_]+:[a-z0-9_]+", rule["record"]), rule["record"]


def test_shortening_changes_durations_and_nothing_else() -> None:
    assert shortened("x[5m] offset 1h > 2 * 3600 and y[6h:1m] * 60 > 14.4 * 0.01", 60) == "x[5s] offset 60s > 2 * 60 and y[360s:1s] * 1 > 14.4 * 0.01"
    assert shortened("        for: 15m\n", 60) == "        for: 15s\n"
    text = known.RULES.read_text()
    assert yaml.safe_load(shortened(text, 60)) != yaml.safe_load(text)
    loose = re.compile(r"\[[^\]]*\]|offset \w+|for: \w+|[*>] [\d.]+")
    assert loose.sub("", shortened(text, 60)) == loose.sub("", text)


def test_the_shortened_rules_are_rules(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(shortened(known.RULES.read_text(), 60))
    promtool("check", "rules", path)
