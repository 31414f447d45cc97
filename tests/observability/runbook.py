"""Reads the commands out of a runbook, and runs them as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import known
from stack.paths import ROOT


def fences(name: str, part: str, language: str) -> list[str]:
    """The fenced commands of one part of a page, in order."""
    text = (known.RUNBOOKS / f"{name}.md").read_text()
    section = text.split(f"\n## {part}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


class Commands:
    """Where the programs that fences call stand."""

    def folder(self) -> Path:
        return Path(os.environ.get("SYNCLINE_BUILD", ROOT / "build/dev")).resolve() / "bin"

    def synclinectl(self) -> str | None:
        path = self.folder() / "synclinectl"
        return str(path) if path.exists() else None

    def run(self, fence: str, variables: Mapping[str, str], allowed: tuple[int, ...] = (0,)) -> str:
        """As a person would type it, line by line: what it printed. Fails where a line ends with another exit code than the allowed ones."""
        environment = {**os.environ, "PATH": f"{self.folder()}:{os.environ['PATH']}", **variables}
        said = ""
        for line in fence.splitlines():
            done = subprocess.run(["bash", "-uo", "pipefail", "-c", line], capture_output=True, text=True, timeout=120, env=environment, check=False)
            assert done.returncode in allowed, f"exit {done.returncode} of {line}\n{done.stdout}{done.stderr}"
            said += done.stdout
        return said


COMMON = Commands()
