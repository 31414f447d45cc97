"""Two snapshots of stock compared, beside `sort` and `comm` doing the same on the same files."""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
from pathlib import Path

from stack.process import StackError

from .report import Report

TITLE = "Reconciliation: 2 × 10 million rows"
ROWS = 10_000_000
LOCATIONS = 4
RUNS = 3


def write_snapshots(folder: Path, rows: int) -> None:
    """Sorted and shuffled, each with and without the header that `sort` and `comm` do not want; one row of 700 differs."""
    for name, shuffle in (("sorted", False), ("unsorted", True)):
        for side, seed in (("left", 1), ("right", 2)):
            order = list(range(rows))
            if shuffle:
                random.Random(seed).shuffle(order)
            with (folder / f"{side}.{name}.txt").open("w") as bare, (folder / f"{side}.{name}.csv").open("w") as full:
                full.write("sku,location,quantity\n")
                for begin in range(0, rows, 100_000):
                    text = "".join(
                        f"SKU-{row // LOCATIONS:09d},loc-{row % LOCATIONS:02d},{(row * 2654435761 + (side == 'right' and row % 700 == 0)) % 500}\n"
                        for row in order[begin : begin + 100_000]
                    )
                    bare.write(text)
                    full.write(text)
            del order


def seconds_of(command: str, folder: Path) -> float:
    best = float("inf")
    for _ in range(RUNS):
        began = time.monotonic()
        done = subprocess.run(["bash", "-c", command], cwd=folder, env={**os.environ, "LC_ALL": "C"}, capture_output=True, text=True)
        if done.returncode != 0:
            raise StackError(f"{command}: {done.stderr}")
        best = min(best, time.monotonic() - began)
    return best


def ours(tool: Path, name: str, folder: Path, rows: int) -> dict[str, float]:
    best: dict[str, float] = {}
    for _ in range(RUNS):
        done = subprocess.run([tool, f"left.{name}.csv", f"right.{name}.csv", "--folder", "."], cwd=folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise StackError(done.stderr)
        found = json.loads(done.stdout)
        wanted = len(range(0, rows, 700))
        if found["pairs"] != rows or found["differences"] != wanted:
            raise StackError(f"found {found}, but {wanted} of {rows} pairs differ")
        if not best or found["seconds"] < best["seconds"]:
            best = found
    return best


def run(report: Report, folder: Path, build: Path) -> None:
    rows = int(ROWS * float(os.environ.get("SYNCLINE_BENCH_SCALE", "1")))
    tool = build / "bin/bench_reconcile_stock"
    if not tool.exists():
        raise StackError(f"{tool} is not built")
    report.note(f"writing snapshots of {rows:,} rows")
    write_snapshots(folder, rows)
    in_order = ours(tool, "sorted", folder, rows)
    comm = seconds_of("comm -3 left.sorted.txt right.sorted.txt > differences", folder)
    shuffled = ours(tool, "unsorted", folder, rows)
    sort = seconds_of(
        "sort -S 64M left.unsorted.txt > left.tmp && sort -S 64M right.unsorted.txt > right.tmp && comm -3 left.tmp right.tmp > differences", folder
    )
    report.say(f"Best of {RUNS}; every run finds the same differences. `LC_ALL=C` for sort and comm.")
    report.table(
        ["", "ours s", "tools s", "tools", "ours MiB"],
        [
            ["sorted", f"{in_order['seconds']:.2f}", f"{comm:.2f}", "comm", in_order["rss_mib"]],
            ["unsorted", f"{shuffled['seconds']:.2f}", f"{sort:.2f}", "sort -S 64M twice, comm", shuffled["rss_mib"]],
        ],
    )
    memory = max(in_order["rss_mib"], shuffled["rss_mib"])
    report.aim(f"< 128 MB resident ({memory:.0f} MiB)", memory * 1.048576 < 128)
    report.aim("sorted: no slower than comm", in_order["seconds"] <= comm)
    report.aim(f"unsorted: less than half of sort and comm ({shuffled['seconds'] / sort:.2f})", shuffled["seconds"] < sort / 2)
