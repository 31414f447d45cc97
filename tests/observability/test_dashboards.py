"""The dashboards: current, complete, and every query of them is one that Prometheus takes and that names what exists."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import generate
import known
import pytest
import yaml
from promql import result_labels
from stack.paths import PROMETHEUS

UNITS = {"none", "s", "ops", "reqps", "bytes", "Bps", "percentunit", "d"}
SIZE_MAX = 1024 * 1024  # A ConfigMap takes no more.


def test_the_files_are_what_the_generator_makes() -> None:
    assert generate.stale() == [], "run tools/dashboards/generate.py --write"


@pytest.mark.parametrize("uid", sorted(known.boards()))
def test_a_board_can_be_imported_anywhere(uid: str) -> None:
    board = known.boards()[uid]
    assert board["uid"] == uid and board["title"].startswith("Syncline / ") and board["description"] and board["tags"] == ["syncline"]
    assert board["editable"] is False and "id" not in board and "__inputs" not in board
    assert (known.DASHBOARDS / f"{uid}.json").stat().st_size < SIZE_MAX
    variables = {variable["name"]: variable for variable in board["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource" and "namespace" in variables
    used = set(re.findall(r"\$(?!__)(\w+)", " ".join(query.expression for query in known.queries() if query.board == uid)))
    assert used == set(variables) - {"datasource"}, "a variable that nothing uses, or one that is not there"


@pytest.mark.parametrize("uid, panel", known.panels(), ids=[f"{uid}-{panel['title']}" for uid, panel in known.panels()])
def test_a_panel_is_complete(uid: str, panel: dict) -> None:
    assert panel["title"] and panel["description"].endswith((".", "code.")) and len(panel["description"]) > 8
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    assert panel["datasource"]["uid"] == "${datasource}"
    place = panel["gridPos"]
    assert place["x"] + place["w"] <= 24
    for target in panel["targets"]:
        assert target["datasource"]["uid"] == "${datasource}" and target["legendFormat"]
        assert "$namespace" in target["expr"] or "slo:syncline_objective:ratio" in target["expr"]
        labels = result_labels(target["expr"])
        if labels is not None:
            assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= labels, f"{target['legendFormat']} names a label that is summed away"


def test_panels_do_not_lie_on_each_other() -> None:
    for uid, board in known.boards().items():
        cells: set[tuple[int, int]] = set()
        for panel in board["panels"]:
            place = panel["gridPos"]
            mine = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
            assert not cells & mine, f"{uid}: {panel['title']} lies on another"
            cells |= mine


def unit_of(expression: str) -> set[str]:
    """Units that fit what the query computes, as far as names tell."""
    rate = "rate(" in expression
    if "histogram_quantile" in expression:
        name = re.search(r"(\w+)_bucket", expression)
        assert name
        return {"s"} if name[1].endswith("_seconds") else {"bytes"} if name[1].endswith("_bytes") else {"none"}
    if ("ratio" in expression and "objective" in expression) or expression.startswith("1 - "):
        return {"none", "percentunit"}
    if "time() -" in expression or (re.search(r"_(age_)?seconds(:max)?[{ )]", expression) and not rate):
        return {"s"}
    if "process_cpu_seconds_total" in expression:
        return {"none"}
    if rate and ") / sum" in expression:
        return {"none"}
    if re.search(r"bytes_total", expression):
        return {"Bps"}
    if rate or ":rate5m{" in expression:
        return {"ops", "reqps", "none"} if "points" in expression else {"ops", "reqps"}
    if re.search(r"_bytes[{ )]", expression):
        return {"bytes"}
    if "days_left" in expression:
        return {"d"}
    return {"none"}


@pytest.mark.parametrize("query", known.queries(), ids=[f"{query.board}-{query.panel}-{number}" for number, query in enumerate(known.queries())])
def test_a_unit_fits_its_query(query: known.Query) -> None:
    assert query.unit in unit_of(query.expression), query.expression


def test_counters_are_never_shown_bare_where_a_rate_is_meant() -> None:
    for query in known.queries():
        if query.unit in ("ops", "reqps", "Bps"):
            assert re.search(r"rate\(|:rate5m", query.expression), query


def test_promtool_takes_every_query(tmp_path: Path) -> None:
    rules = [{"record": f"test:query:number{number}", "expr": known.filled(query.expression)} for number, query in enumerate(known.queries())]
    path = tmp_path / "queries.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    done = subprocess.run([str(PROMETHEUS / "promtool"), "check", "rules", "--lint=none", str(path)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
