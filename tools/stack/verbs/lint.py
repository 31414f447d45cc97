"""tools/dev lint and format."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from ..paths import NPM, ROOT
from .build import build, fetch, say


def tracked(*patterns: str) -> list[str]:
    done = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.splitlines() if (ROOT / name).exists()]


def check(title: str, command: list[str], *, env: dict[str, str] | None = None) -> int:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, **(env or {})})
    print(f"lint: {title}: {'ok' if done.returncode == 0 else 'FAILED'}", flush=True)
    if done.returncode != 0:
        print((done.stdout + done.stderr)[-6000:], file=sys.stderr)
    return int(done.returncode != 0)


def quick() -> int:
    """Everything but clang-tidy: seconds, not minutes. Returns how many checks failed."""
    say("lint")
    sources = tracked("*.cpp", "*.h")
    shell = [name for name in tracked("*.sh", "tools/dev", ".ci/run")]
    buf = str(NPM / "node_modules/.bin/buf")
    failed = 0
    if sources:
        failed += check("clang-format", ["clang-format-19", "--dry-run", "--Werror", *sources])
    failed += check("shellcheck", ["shellcheck", "-x", "-S", "style", *shell])
    failed += check("buf lint", [buf, "lint", "proto"])
    if (ROOT / "proto/baseline.binpb").exists():
        failed += check("buf breaking", [buf, "breaking", "proto", "--against", "proto/baseline.binpb"])
    failed += check("structure (tools/tidy.py)", ["/usr/bin/python3", "tools/tidy.py"])
    return failed


def changed_sources(base: str) -> list[str]:
    done = subprocess.run(["git", "diff", "--name-only", base, "--", "*.cpp"], cwd=ROOT, capture_output=True, text=True)
    return [name for name in done.stdout.splitlines() if (ROOT / name).exists()]


def clang_tidy(files: list[str]) -> int:
    if not files:
        return 0
    folder = build("fuzz", ["syncline_events"])  # clang's own compilation database.
    files = [name for name in files if (ROOT / name).read_text() and _known(folder, name)]
    if not files:
        return 0
    return check(
        f"clang-tidy ({len(files)} files)",
        ["xargs", "-a", _list_file(files), "-P", str(os.cpu_count() or 2), "-n", "1", "clang-tidy-19", "-p", str(folder), "--quiet", "--warnings-as-errors=*"],
    )


def _known(folder: Path, name: str) -> bool:
    return str(ROOT / name) in (folder / "compile_commands.json").read_text()


def _list_file(files: list[str]) -> str:
    path = ROOT / ".dev" / "clang-tidy.list"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(files) + "\n")
    return str(path)


def execute(arguments: argparse.Namespace) -> int:
    fetch("npm")
    failed = quick()
    files = tracked("libs/*.cpp", "services/*.cpp", "tools/*.cpp") if arguments.all else changed_sources(arguments.base)
    failed += clang_tidy(files)
    return 1 if failed else 0


def format_sources(_: argparse.Namespace) -> int:
    sources = tracked("*.cpp", "*.h")
    return subprocess.run(["clang-format-19", "-i", *sources], cwd=ROOT).returncode if sources else 0


def register(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser("lint", help="format, clang-tidy, buf, shellcheck, structure")
    parser.add_argument("--all", action="store_true", help="clang-tidy on every file, not only on those changed since --base")
    parser.add_argument("--base", default="HEAD", help="what changed files are compared with (HEAD)")
    parser.set_defaults(execute=execute)
    parser = verbs.add_parser("format", help="clang-format every source")
    parser.set_defaults(execute=format_sources)
