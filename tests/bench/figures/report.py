"""Collects lines and tables of one figure; prints them and, when asked, keeps them in docs/benchmarks.md."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence

from stack.paths import ROOT

PAGE = ROOT / "docs/benchmarks.md"


class Report:
    def __init__(self, name: str, title: str) -> None:
        self.name = name
        self.lines: list[str] = [f"## {title}", ""]

    def say(self, text: str) -> None:
        print(text, flush=True)
        self.lines.append(text)

    def note(self, text: str) -> None:
        """Progress: printed, not kept."""
        print(f"… {text}", flush=True)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        text = [[str(cell) for cell in row] for row in [head, *rows]]
        widths = [max(len(row[column]) for row in text) for column in range(len(head))]
        out = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in text]
        out.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
        self.lines.append("")
        for line in out:
            self.say(line)
        self.lines.append("")

    def aim(self, what: str, reached: bool) -> None:
        self.say(f"- aim {what}: {'reached' if reached else 'NOT reached'}")

    def keep(self, machine: Sequence[str]) -> None:
        """Replaces this figure's section of the page; the other sections stay."""
        page = PAGE.read_text() if PAGE.exists() else "# Benchmarks\n\nMeasured by `tools/dev bench`; tests/bench/README.md says how.\n"
        begin, end = f"<!-- figure:{self.name} -->", f"<!-- /figure:{self.name} -->"
        day = datetime.date.today().isoformat()
        section = "\n".join([begin, *self.lines, "", f"Measured {day} on:", "", *(f"- {line}" for line in machine), end])
        found = re.search(re.escape(begin) + ".*?" + re.escape(end), page, re.S)
        page = page[: found.start()] + section + page[found.end() :] if found else page.rstrip("\n") + "\n\n" + section + "\n"
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page)
