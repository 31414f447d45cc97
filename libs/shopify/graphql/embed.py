#!/usr/bin/env python3
"""Writes <syncline/shopify/operations.h>: the GraphQL documents of this folder as constants.

    embed.py OUTPUT        README.md says which header comments are read.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
HEADER = """// Generated from libs/shopify/graphql by embed.py. Not edited by hand.
#pragma once

#include <syncline/shopify/operation.h>
#include <array>
#include <string_view>

namespace syncline::shopify {

// The Admin API version the documents are written for and validated against.
inline constexpr std::string_view kApiVersion = "%s";

"""


def fail(path: Path, what: str) -> None:
    sys.exit(f"{path}: {what}")


def body_of(text: str) -> str:
    """Without comments, indentation and empty lines. No document holds a # inside a string."""
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return " ".join(line for line in lines if line)


def operation(path: Path) -> tuple[str, str]:
    text = path.read_text()
    comments = dict(re.findall(r"^# (cost|denied|import): (.+)$", text, re.M))
    body = body_of(text)
    head = re.match(r"(query|mutation) (\w+)", body)
    if not head or head.group(2) != path.stem:
        fail(path, "the first operation must be named like the file")
    cost = re.fullmatch(r"(\d+)(?: \+ (\d+) \* items)?", comments.get("cost", ""))
    if not cost:
        fail(path, 'no header "# cost: N" or "# cost: N + M * items"')
    if comments.get("denied", "allowed") != "allowed":
        fail(path, '"# denied:" can only be "allowed"')
    for name in filter(None, (part.strip() for part in comments.get("import", "").split(","))):
        body += " " + body_of((HERE / "fragments" / f"{name}.graphql").read_text())
    constant = "k" + path.stem
    return constant, (
        f"inline constexpr Operation {constant}{{\n"
        f'    .name = "{path.stem}",\n'
        f'    .text = R"graphql({body})graphql",\n'
        f"    .kind = OperationKind::{head.group(1)},\n"
        f"    .cost = {cost.group(1)},\n"
        f"    .cost_per_item = {cost.group(2) or 0},\n"
        f"    .denied_allowed = {'true' if 'denied' in comments else 'false'}}};\n"
    )


def main() -> int:
    made = [operation(path) for path in sorted(HERE.glob("*.graphql"))]
    out = HEADER % (HERE / "API_VERSION").read_text().strip()
    out += "\n".join(text for _, text in made)
    out += f"\ninline constexpr std::array<const Operation*, {len(made)}> kOperations{{{{\n"
    out += "".join(f"    &{constant},\n" for constant, _ in made)
    out += "}};\n\n}  // namespace syncline::shopify\n"
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists() or target.read_text() != out:
        target.write_text(out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
