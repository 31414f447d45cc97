"""Configure and build, used by every verb that runs what was built."""

from __future__ import annotations

import argparse
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from ..paths import ROOT
from ..process import StackError


def say(text: str) -> None:
    print(f"\033[1m{text}\033[0m", flush=True)


def fetch(*parts: str) -> None:
    if subprocess.run([str(ROOT / "tools/setup/fetch.sh"), *parts]).returncode != 0:
        raise StackError("fetching tools failed; the lines above say what")


def build(preset: str = "dev", targets: Sequence[str] = ()) -> Path:
    """Configures when needed and builds; progress is ninja's. Returns the build folder."""
    folder = ROOT / "build" / preset
    started = time.monotonic()
    if not (folder / "build.ninja").exists():
        say(f"configuring {folder.relative_to(ROOT)}")
        done = subprocess.run(["cmake", "--preset", preset], cwd=ROOT, capture_output=True, text=True)
        if done.returncode != 0:
            raise StackError(f"cmake --preset {preset} failed:\n{done.stdout[-2000:]}{done.stderr[-3000:]}")
    say(f"building {' '.join(targets) or 'everything'} ({preset}); the first time takes minutes, later runs seconds")
    environment = {**os.environ, "NINJA_STATUS": "[%f/%t %es] "}
    command = ["cmake", "--build", str(folder), "-j", str(os.cpu_count() or 2)]
    if targets:
        command += ["--target", *targets]
    if subprocess.run(command, cwd=ROOT, env=environment).returncode != 0:
        raise StackError("the build failed; the compiler's lines above say where")
    say(f"built in {time.monotonic() - started:.0f} s")
    return folder


def execute(arguments: argparse.Namespace) -> int:
    build(arguments.preset, arguments.targets)
    return 0


def setup(_: argparse.Namespace) -> int:
    fetch()
    say("the set-up is complete")
    return 0


def register(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser("build", help="configure and build")
    parser.add_argument("targets", nargs="*", help="CMake targets; everything without one")
    parser.add_argument("--preset", default="dev", choices=["dev", "asan", "tsan", "fuzz", "release"])
    parser.set_defaults(execute=execute)
    parser = verbs.add_parser("setup", help="install and fetch everything the other verbs need")
    parser.set_defaults(execute=setup)
