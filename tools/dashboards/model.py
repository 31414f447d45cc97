"""What a panel and a dashboard are, and how they become Grafana's JSON. The boards themselves stand in boards.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

TAG = "syncline"
WIDTH = 24  # Columns of Grafana's grid.
SCHEMA = 39
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
# Every query is of the chosen installations; without namespaces (outside Kubernetes) "all" matches what has none.
IN = 'namespace=~"$namespace"'


@dataclass
class Panel:
    title: str
    description: str
    unit: str  # Grafana's id of it.
    queries: Sequence[tuple[str, str]]  # (PromQL, legend)
    kind: str = "timeseries"  # or stat, bargauge, table
    width: int = 8
    height: int = 7
    stacked: bool = False
    thresholds: Sequence[tuple[float | None, str]] = ((None, "green"),)
    maximum: float | None = None


@dataclass
class Row:
    title: str
    panels: Sequence[Panel]


@dataclass
class Board:
    uid: str
    title: str
    description: str
    rows: Sequence[Row]
    variables: Sequence[str] = field(default_factory=tuple)  # Beside datasource and namespace, keys of VARIABLES.
    span: str = "now-6h"


VARIABLES = {
    "namespace": ("Installation", "label_values(syncline_build_info, namespace)"),
    "shop": ("Shop", 'label_values(syncline_ingress_requests_total{namespace=~"$namespace"}, shop)'),
    "service": ("Service", 'label_values(syncline_build_info{namespace=~"$namespace"}, service)'),
    "connection": ("Connection", 'label_values(syncline_circuit_open{namespace=~"$namespace"}, connection)'),
}


def panel_json(panel: Panel, number: int, x: int, y: int) -> dict[str, Any]:
    table = panel.kind == "table"
    defaults: dict[str, Any] = {
        "unit": panel.unit,
        "thresholds": {"mode": "absolute", "steps": [{"color": color, "value": value} for value, color in panel.thresholds]},
    }
    if panel.maximum is not None:
        defaults["max"] = panel.maximum
    if panel.kind == "timeseries":
        custom: dict[str, Any] = {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 20 if panel.stacked else 5, "showPoints": "never"}
        custom["stacking"] = {"mode": "normal" if panel.stacked else "none", "group": "A"}
        defaults["custom"] = custom
        defaults["min"] = 0
    options: dict[str, Any] = {
        "timeseries": {
            "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"]},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "stat": {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "colorMode": "value", "graphMode": "area", "textMode": "auto"},
        "bargauge": {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "orientation": "horizontal", "displayMode": "gradient"},
        "table": {"showHeader": True, "footer": {"show": False}},
    }[panel.kind]
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "gridPos": {"h": panel.height, "w": panel.width, "x": x, "y": y},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": DATASOURCE,
                "expr": expression,
                "legendFormat": legend,
                "instant": panel.kind != "timeseries",
                "range": panel.kind == "timeseries",
                "format": "table" if table else "time_series",
            }
            for index, (expression, legend) in enumerate(panel.queries)
        ],
    }


def row_json(title: str, number: int, y: int) -> dict[str, Any]:
    return {"id": number, "type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": y}}


def variable_json(name: str) -> dict[str, Any]:
    label, query = VARIABLES[name]
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": DATASOURCE,
        "definition": query,
        "query": {"query": query, "refId": f"variable-{name}"},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }


def board_json(board: Board) -> dict[str, Any]:
    panels: list[dict[str, Any]] = []
    y = 0
    for row in board.rows:
        panels.append(row_json(row.title, len(panels) + 1, y))
        y += 1
        x = height = 0
        for panel in row.panels:
            if x + panel.width > WIDTH:
                x, y, height = 0, y + height, 0
            panels.append(panel_json(panel, len(panels) + 1, x, y))
            x, height = x + panel.width, max(height, panel.height)
        y += height
    source = {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "refresh": 1, "current": {}}
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.description,
        "tags": [TAG],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": board.span, "to": "now"},
        "timezone": "browser",
        "annotations": {"list": []},
        "links": [{"type": "dashboards", "title": "Syncline", "tags": [TAG], "asDropdown": True, "includeVars": True, "keepTime": True}],
        "templating": {"list": [source, *(variable_json(name) for name in ("namespace", *board.variables))]},
        "panels": panels,
    }
