"""The services board: what every service has, and a row for each service of whose figures some stand on no other board.

The rows are made from docs/metrics.md, which is made from --describe, so that a new service is on a dashboard before anybody has drawn
one for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from model import IN, Board, Panel, Row
from queries import age, gauge_by, quantiles, rate_by

ROOT = Path(__file__).resolve().parents[2]
DESCRIBED = re.compile(r"^\| `([a-z_]+)` \| (counter|gauge|histogram) \| ([^|]*) \| (.*) \|$", re.MULTILINE)
OF = 'service=~"$service"'


def panel(metric: str, kind: str, labels: tuple[str, ...], meaning: str, service: str) -> Panel:
    title = metric.removeprefix("syncline_").removeprefix(f"{service.replace('-', '_')}_")
    title = re.sub(r"_(total|timestamp_seconds|seconds|bytes)$", "", title).replace("_", " ").capitalize()
    by = ("service", *labels)
    if kind == "histogram":
        return Panel(title, meaning, "bytes" if metric.endswith("_bytes") else "s", quantiles(metric, *by, only=OF, shares=(0.5, 0.99)))
    if kind == "counter":
        return Panel(title, meaning, "Bps" if metric.endswith("_bytes_total") else "ops", [rate_by(metric, *by, only=OF)], stacked=True)
    if metric.endswith("_timestamp_seconds"):
        return Panel(title, f"{meaning} Shown as an age.", "s", [age(metric, *by)])
    unit = "s" if metric.endswith("_seconds") else "bytes" if metric.endswith("_bytes") else "none"
    return Panel(title, meaning, unit, [gauge_by(metric, *by, how="max", only=OF)])


def rows(others: Sequence[Board]) -> list[Row]:
    drawn = " ".join(expression for board in others for row in board.rows for one in row.panels for expression, _ in one.queries)
    text = (ROOT / "docs/metrics.md").read_text()
    sections = text.split("\n## ")[1:]
    made = []
    for section in sections:
        service = section.splitlines()[0]
        panels = [
            panel(metric, kind, tuple(re.findall(r"`([a-z_]+)`", labels)), meaning, service)
            for metric, kind, labels, meaning in DESCRIBED.findall(section)
            # What several services have is the kit's, with places of its own.
            if text.count(f"| `{metric}` |") == 1 and not re.search(rf"\b{metric}(_bucket|_sum|_count)?\b", drawn)
        ]
        if panels and service != "Every service":
            made.append(Row(service, panels))
    return made


def services_board(others: Sequence[Board]) -> Board:
    every = Row(
        "Every service",
        [
            Panel("Events", "By service and what became of them.", "ops", [rate_by("syncline_events_total", "service", "outcome", only=OF)], stacked=True),
            Panel("Time in the handler", "By service, calls to other systems included.", "s", quantiles("syncline_event_handle_seconds", "service", only=OF, shares=(0.5, 0.99))),
            Panel("Lag", "Records that a service has not read yet.", "none", [(f"sum by (service) (syncline_consumer_lag_records{{{IN},{OF}}})", "{{service}}")]),
        ],
    )
    return Board("syncline-services", "Syncline / Services", "What each service does, figures of its own included.", [every, *rows(others)], ("service",))
