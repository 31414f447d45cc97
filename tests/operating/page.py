"""A page of docs/operating: its parts and the commands in them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from stack import Stack
from stack.paths import ROOT

FOLDER = ROOT / "docs/operating"
# The pages whose fences are executed, and the languages of a fence: `sh` is run by a test, `console` needs a cluster.
PAGES = ("backup-and-restore", "disaster", "rotate-secrets", "scale", "capacity")


class Page:
    def __init__(self, name: str) -> None:
        self.path = FOLDER / f"{name}.md"
        self.text = self.path.read_text()

    def part(self, heading: str) -> str:
        """From a heading of any level to the next of the same or a higher one."""
        match = re.search(rf"^(#+) {re.escape(heading)}$", self.text, re.MULTILINE)
        assert match, f"{self.path.name} has no part {heading!r}"
        rest = self.text[match.end() :]
        end = re.search(rf"^#{{1,{len(match[1])}}} ", rest, re.MULTILINE)
        return rest[: end.start()] if end else rest

    def fences(self, language: str, heading: str = "") -> list[str]:
        return re.findall(rf"^ *```{language}\n(.*?)^ *```$", self.part(heading) if heading else self.text, re.MULTILINE | re.DOTALL)


class Operator:
    """Executes commands of pages as a person at the stack's side would: same programs, same variables."""

    def __init__(self, stack: Stack, **variables: str) -> None:
        self.stack = stack
        self.tools = stack.folder / "kafka-tools"
        stack.kafka.write_tools(self.tools)
        server = stack.postgres.url.rsplit("/", 1)[0]
        self.variables = {
            "BROKERS": stack.kafka.brokers,
            "DATABASE": stack.postgres.url,
            "SERVER": f"{server}/postgres",
            "SYNCLINE_TARGETS": str(stack.targets_file),
            "TOKEN": stack.admin_token,
            **variables,
        }

    def run(self, fence: str, allowed: tuple[int, ...] = (0,), **variables: str) -> str:
        """What it printed. Fails on another exit code than the allowed ones, at the first command that fails."""
        path = f"{self.tools}:{self.stack.bin}:{ROOT / 'tools/docs'}:{os.environ['PATH']}"
        environment: Mapping[str, str] = {**os.environ, **self.variables, **variables, "PATH": path}
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", fence], capture_output=True, text=True, timeout=300, env=environment, cwd=ROOT, check=False)
        assert done.returncode in allowed, f"exit {done.returncode} of\n{fence}\n{done.stdout}{done.stderr}"
        return done.stdout

    def follow(self, page: Page, heading: str, only: str = "", **variables: str) -> str:
        chosen = [fence for fence in page.fences("sh", heading) if only in fence]
        assert chosen, f"{page.path.name} has no commands with {only!r} under {heading!r}"
        return "".join(self.run(fence, **variables) for fence in chosen)


def folder_of(stack: Stack, name: str) -> Path:
    path = stack.folder / name
    path.mkdir(exist_ok=True)
    return path
