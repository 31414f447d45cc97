"""Command line of tools/dev."""

from __future__ import annotations

import argparse
import sys

from ..process import StackError
from . import bench, build, demo, doctor, image, lint, new_service, run, test, up


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="tools/dev",
        description="Everything a developer of Syncline does: set up, build, test, show, measure. Each verb installs what it needs.",
    )
    verbs = parser.add_subparsers(dest="verb", metavar="verb", required=True)
    for module in (demo, test, up, run, new_service, bench, image, lint, doctor, build):
        module.register(verbs)
    arguments = parser.parse_args(sys.argv[1:] if sys.argv[1:] not in ([], ["help"]) else ["--help"])
    try:
        return int(arguments.execute(arguments) or 0)
    except StackError as error:
        print(f"tools/dev {arguments.verb}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\ntools/dev {arguments.verb}: interrupted", file=sys.stderr)
        return 130


sys.exit(main())
