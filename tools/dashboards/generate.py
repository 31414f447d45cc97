#!/usr/bin/python3
"""Grafana's dashboards, made from boards*.py so that titles, units, variables and selectors are the same everywhere.

generate.py --write    writes helm/syncline/files/dashboards/<uid>.json
generate.py --check    exit 1 and the names of files that are not what would be written
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from boards import BOARDS  # noqa: E402
from model import board_json  # noqa: E402

FOLDER = Path(__file__).resolve().parents[2] / "helm/syncline/files/dashboards"


def wanted() -> dict[str, str]:
    """File name → text."""
    return {f"{board.uid}.json": json.dumps(board_json(board), indent=1, ensure_ascii=False) + "\n" for board in BOARDS}


def stale() -> list[str]:
    """Files that are missing, differ, or that no board makes."""
    files = wanted()
    there = {path.name for path in FOLDER.glob("*.json")}
    different = [name for name in sorted(there & files.keys()) if (FOLDER / name).read_text() != files[name]]
    return sorted(there ^ files.keys()) + different


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", action="store_true")
    what.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        names = stale()
        for name in names:
            print(f"{FOLDER / name}: not what tools/dashboards/generate.py --write makes")
        return 1 if names else 0
    files = wanted()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in FOLDER.glob("*.json"):
        if path.name not in files:
            path.unlink()
    for name, text in files.items():
        (FOLDER / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
