"""tests/bench/run.py [--keep] [name …]: measures the figures of docs/benchmarks.md. See README.md beside it."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "tools")]

from figures import machine  # noqa: E402
from figures.report import Report  # noqa: E402
from stack.paths import ROOT, data_folder  # noqa: E402
from stack.process import StackError  # noqa: E402

FIGURES = {
    "ingress": "ingress",
    "end-to-end": "end_to_end",
    "idle": "idle",
    "costs": "costs",
    "history": "history",
    "batches": "batches",
    "stock-intake": "stock_intake",
    "stock-instances": "stock_instances",
    "stock-push": "stock_push",
    "reconciliation": "reconciliation",
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Measures the figures of docs/benchmarks.md.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(FIGURES)}; all of them without one")
    parser.add_argument("--keep", action="store_true", help="write the result into docs/benchmarks.md")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in FIGURES]
    if unknown:
        parser.error(f"unknown figure {', '.join(unknown)}; there are {', '.join(FIGURES)}")
    build = Path(os.environ.get("SYNCLINE_BUILD", ROOT / "build/release"))
    described = machine.description()
    print("\n".join(described), flush=True)
    shortened = [name for name in ("SYNCLINE_BENCH_SECONDS", "SYNCLINE_BENCH_SCALE", "SYNCLINE_BENCH_RATE") if name in os.environ]
    if shortened:
        print(f"shortened by {', '.join(shortened)}: no figures for keeping")
    failed = []
    for name in arguments.names or FIGURES:
        figure = importlib.import_module(f"figures.{FIGURES[name]}")
        report = Report(name, figure.TITLE)
        print(f"\n\033[1m{figure.TITLE}\033[0m", flush=True)
        work = data_folder() / "bench"
        work.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=work) as folder:
            os.chmod(folder, 0o755)
            try:
                figure.run(report, Path(folder), build)
            except StackError as error:
                print(f"bench {name}: {error}", file=sys.stderr)
                failed.append(name)
                continue
        if arguments.keep and not shortened:
            report.keep(described)
    if failed:
        print(f"bench: not measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
