"""tools/dev test: builds, starts a throw-away PostgreSQL and runs ctest, or the fuzz targets."""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .. import images
from ..paths import ROOT
from ..process import StackError
from . import lint
from .build import build, fetch, say

LABELS = ["unit", "kafka", "postgres", "http", "kit", "contract", "chart", "flow", "chaos", "image"]
# Without a label everything but these runs: killing each part in the middle of thousands of orders, and compiling once more for images,
# take their own time.
DEFAULT = [label for label in LABELS if label not in ("chaos", "image")]
FUZZ_SECONDS = 10  # Each target, in the default run.
# What runs under the sanitizers by default; with --flows the flows as well.
SANITIZED = ["unit", "postgres", "http", "kit"]


@contextmanager
def throw_away_postgres() -> Iterator[str]:
    script = str(ROOT / "tools/setup/test-postgres.sh")
    folder = tempfile.mkdtemp(prefix="syncline-postgres-")
    os.chmod(folder, 0o755)
    try:
        done = subprocess.run([script, "start", folder], capture_output=True, text=True)
        if done.returncode != 0:
            raise StackError(f"no PostgreSQL for the tests: {done.stderr.strip()}")
        yield done.stdout.strip().split("=", 1)[1]
    finally:
        subprocess.run([script, "stop", folder], capture_output=True)


def sanitizer_environment() -> dict[str, str]:
    suppressions = ROOT / "tools/setup/tsan-suppressions.txt"
    return {
        "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1:abort_on_error=0",
        "LSAN_OPTIONS": f"suppressions={ROOT / 'tools/setup/lsan-suppressions.txt'}:print_suppressions=0",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "TSAN_OPTIONS": f"suppressions={suppressions}:second_deadlock_stack=1:halt_on_error=0:exitcode=66",
    }


def run_ctest(folder: Path, labels: list[str], *, repeat: int = 1, extra: list[str] | None = None) -> int:
    with throw_away_postgres() as url:
        environment = {
            **os.environ,
            **sanitizer_environment(),
            "SYNCLINE_TEST_POSTGRES_URL": url,
            "SYNCLINE_BUILD": str(folder),
            "PYTHONPATH": f"{ROOT / 'tools'}:{ROOT}",
        }
        command = ["ctest", "--test-dir", str(folder), "--output-on-failure", "--no-tests=error", "-j", "2", *(extra or [])]
        if labels:
            command += ["-L", "^(" + "|".join(labels) + ")$"]
        if repeat > 1:
            command += ["--repeat", f"until-fail:{repeat}"]
        return subprocess.run(command, env=environment, cwd=ROOT).returncode


def run_fuzz(seconds: int) -> int:
    folder = build("fuzz", ["fuzzers"])
    failed = 0
    for binary in sorted((folder / "bin").glob("*_fuzz")):
        corpus = next(iter(ROOT.glob(f"**/fuzz/corpus/{binary.name.removesuffix('_fuzz')}")), None)
        work = ROOT / ".dev" / "fuzz" / binary.name
        work.mkdir(parents=True, exist_ok=True)
        say(f"fuzzing {binary.name} for {seconds} s")
        command = [str(binary), f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=0", f"-artifact_prefix={work}/", str(work)]
        if corpus:
            command.append(str(corpus))
        done = subprocess.run(command, capture_output=True, text=True, cwd=work)
        print("\n".join(done.stderr.splitlines()[-2 if done.returncode == 0 else -40 :]))
        failed += done.returncode != 0
    return failed


def execute(arguments: argparse.Namespace) -> int:
    labels = arguments.labels
    if arguments.asan or arguments.tsan:
        preset = "asan" if arguments.asan else "tsan"
        folder = build(preset, [] if arguments.flows else ["test_binaries"])
        return run_ctest(folder, labels or SANITIZED + (["flow"] if arguments.flows else []), repeat=arguments.repeat)
    if arguments.fuzz:
        return 1 if run_fuzz(arguments.seconds) else 0
    parts = ["kafka", "prometheus", "npm"] if not labels or {"flow", "chaos", "contract", "chart", "image"} & set(labels) else []
    if not labels or {"chart", "chaos", "image"} & set(labels):
        parts.append("helm")
    if parts:
        fetch(*parts)
    failed = 0
    if not labels:
        failed += lint.quick()
    folder = build("dev")
    if "image" in labels:
        images.build(images.engine(), images.services())
    failed += run_ctest(folder, labels or DEFAULT, repeat=arguments.repeat) != 0
    if not labels:
        failed += run_fuzz(FUZZ_SECONDS)
    if failed:
        say("tools/dev test: FAILED (the lines above say where)")
    return 1 if failed else 0


def register(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser(
        "test",
        help="build and pass every test",
        description="Without a label: quick lint, every test but chaos and image, and each fuzz target for 10 seconds. tools/dev test chaos kills "
        "and stops the parts in the middle of thousands of orders, about fifteen minutes; --fuzz runs only the fuzz targets.",
    )
    parser.add_argument("labels", nargs="*", metavar="label", choices=[*LABELS, []], help=f"only these: {', '.join(LABELS)}")
    parser.add_argument("--asan", action="store_true", help="AddressSanitizer and UBSan build; unit and library tests")
    parser.add_argument("--tsan", action="store_true", help="ThreadSanitizer build; unit and library tests")
    parser.add_argument("--flows", action="store_true", help="with --asan or --tsan: the flows too")
    parser.add_argument("--fuzz", action="store_true", help="only the fuzz targets")
    parser.add_argument("--seconds", type=int, default=60, help="with --fuzz: how long each target runs (60)")
    parser.add_argument("--repeat", type=int, default=1, help="run each test that often, until one fails")
    parser.set_defaults(execute=execute)
