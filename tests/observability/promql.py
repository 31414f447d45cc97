"""Which metrics and labels a PromQL expression names. Not a parser: promtool checks the grammar, this only reads names."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

TOKEN = re.compile(
    r"""(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<range>\[[^\]]*\])
      | (?P<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?(?:ms|[smhdwy])?)
      | (?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
      | (?P<mark>=~|!~|!=|==|>=|<=|[-+*/%^(){},=<>@])""",
    re.VERBOSE,
)
LISTS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
WORDS = LISTS | {"and", "or", "unless", "bool", "offset", "inf", "nan", "start", "end"}
MATCHES = {"=", "=~", "!=", "!~"}


@dataclass
class Names:
    metrics: set[str] = field(default_factory=set)
    matchers: dict[str, set[str]] = field(default_factory=dict)  # metric → labels it is selected by
    grouped: set[str] = field(default_factory=set)  # labels of by, on, group_left …


def names_in(expression: str) -> Names:
    tokens = [(match.lastgroup or "", match.group()) for match in TOKEN.finditer(expression)]
    found = Names()
    metric = ""
    at = 0
    while at < len(tokens):
        kind, text = tokens[at]
        following = tokens[at + 1][1] if at + 1 < len(tokens) else ""
        if kind == "mark" and text == "{":
            if not metric:
                raise ValueError(f"a selector without a metric in {expression!r}")
            at += 1
            while tokens[at][1] != "}":
                if tokens[at][0] == "name" and tokens[at + 1][1] in MATCHES:
                    found.matchers.setdefault(metric, set()).add(tokens[at][1])
                at += 1
            metric = ""
        elif kind == "name" and text in LISTS:
            metric = ""
            if following == "(":
                at += 2
                while tokens[at][1] != ")":
                    if tokens[at][0] == "name":
                        found.grouped.add(tokens[at][1])
                    at += 1
        elif kind == "name" and text not in WORDS and following not in ("(", "by", "without"):
            metric = text
            found.metrics.add(metric)
        elif kind != "range":
            metric = ""
        at += 1
    return found


def result_labels(expression: str) -> set[str] | None:
    """Labels that an aggregation at the very outside leaves; None where the expression is something else."""
    match = re.match(r"\s*[a-z_]+\s+by\s*\(([^)]*)\)", expression)
    return {label.strip() for label in match.group(1).split(",") if label.strip()} if match else None
