"""tools/dev bench: the figures of docs/benchmarks.md, with a release build."""

from __future__ import annotations

import argparse
import os
import subprocess

from ..paths import ROOT
from .build import build, fetch


def execute(arguments: argparse.Namespace) -> int:
    fetch("kafka")
    folder = build("release")
    environment = {**os.environ, "SYNCLINE_BUILD": str(folder), "PYTHONPATH": f"{ROOT / 'tools'}:{ROOT}"}
    return subprocess.run(["/usr/bin/python3", str(ROOT / "tests/bench/run.py"), *arguments.names], env=environment).returncode


def register(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser("bench", help="measure; tests/bench/README.md lists the names")
    parser.add_argument("names", nargs="*", help="all of them without one")
    parser.set_defaults(execute=execute)
