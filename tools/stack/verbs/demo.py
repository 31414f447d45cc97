"""tools/dev demo: a day of orders of two shops through the real system, and what became of each."""

from __future__ import annotations

import argparse

from ..process import StackError


def execute(_: argparse.Namespace) -> int:
    raise StackError("the services are not part of this checkout")


def register(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser("demo", help="watch a day of orders go through")
    parser.set_defaults(execute=execute)
