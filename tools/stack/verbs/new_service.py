"""tools/dev new-service <name>: a service that builds, passes its tests and stands in chart, catalogue, documentation and dashboards."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

from ..paths import HELM_TOOLS, ROOT
from ..process import StackError
from .build import build, say

TEMPLATES = ROOT / "tools/new-service/templates"
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST = 40  # Names of Kubernetes' objects are <release>-<name>-<connection> and at most 63 characters.
# Names of something else: CMake targets, namespaces of the libraries, PostgreSQL schemas.
TAKEN = {"all", "clean", "install", "test", "help", "std", "syncline", "public", "events", "synclinectl", "loadgen", "fuzzers"}
GENERATORS = ["tools/docs/generate.py", "tools/docs/chart.py"]


def check_name(name: str, root: Path) -> None:
    if not NAME.fullmatch(name):
        suggestion = re.sub(r"[^a-z0-9]+", "-", re.sub(r"([a-z0-9])([A-Z])", r"\1-\2", name).lower()).strip("-0123456789")
        cure = f"; try '{suggestion}'" if NAME.fullmatch(suggestion) else ""
        raise StackError(f"'{name}' is no name of a service: lower-case words with hyphens between them, the first letter a-z, as in 'helpdesk-sync'{cure}")
    if len(name) > LONGEST:
        raise StackError(f"'{name}' has {len(name)} characters; at most {LONGEST}, so that names of Kubernetes' objects fit")
    if (root / "services" / name).exists():
        raise StackError(f"services/{name} is there already; choose another name, or take it away with: git rm -r services/{name}")
    if name in TAKEN or (root / "libs" / name).exists() or (root / "libs/connectors" / name).exists():
        raise StackError(f"'{name}' means something else here (a library, a target of the build); add a word, as in '{name}-sync'")


def filled(text: str, name: str) -> str:
    return text.replace("@name@", name).replace("@id@", name.replace("-", "_"))


def write_folder(root: Path, name: str) -> list[Path]:
    folder = root / "services" / name
    written = []
    for template in sorted(TEMPLATES.rglob("*.in")):
        path = folder / template.relative_to(TEMPLATES).with_suffix("")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(filled(template.read_text(), name))
        written.append(path)
    # Where lines break depends on how long the name is.
    sources = [str(path) for path in written if path.suffix in (".cpp", ".h")]
    done = subprocess.run(["clang-format-19", "-i", *sources], cwd=root, capture_output=True, text=True)
    if done.returncode != 0:
        raise StackError(f"clang-format-19 failed: {done.stderr.strip()}; run tools/dev setup")
    return written


def insert(path: Path, before: str, text: str) -> None:
    """Puts `text` before the line `before`, which has to be there once."""
    present = path.read_text()
    if present.count(f"\n{before}") != 1:
        raise StackError(f"{path}: the line '{before}' is expected once; add by hand:\n{text}")
    path.write_text(present.replace(f"\n{before}", f"\n{text}{before}"))


def list_it(root: Path, name: str) -> None:
    """The three lists that are written by hand: the chart's values, the value set with everything on, the table of services."""
    entry = f"  {name}:\n    # Counts exported orders, until it does what it is for.\n    enabled: true\n    # Usually one, e.g. main.\n    connections: {{}}\n"
    insert(root / "helm/syncline/values.yaml", "\nexpose:\n", entry)
    insert(root / "helm/syncline/ci/everything-values.yaml", "expose:\n", f"  {name}:\n    connections:\n      main: {{}}\n")
    insert(root / "README.md", "\n## See it work\n", f"| [`{name}`](services/{name}/README.md) | counts exported orders: made by `tools/dev new-service` | wip |\n")


def run(root: Path, command: list[str], **variables: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(root / "tools"), "PYTHONDONTWRITEBYTECODE": "1", **variables}
    done = subprocess.run(["/usr/bin/python3", *command], cwd=root, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise StackError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-4000:]}")
    sys.stdout.write(done.stdout)


def generate(root: Path, binaries: Path) -> None:
    """Configuration, metrics, README tables, the chart's catalogue and schema, dashboards: from what the binaries say of themselves."""
    for script in GENERATORS:
        run(root, [script, "--write", "--bin", str(binaries)])
    run(root, ["tools/dashboards/generate.py", "--write"])
    if (HELM_TOOLS / "bin/helm").exists():
        render = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/chart/test_render.py", "-k", "renders_what_it_rendered"]
        run(root, render, SYNCLINE_GOLDEN="write", SYNCLINE_BUILD=str(binaries.parent))
    else:
        print("without helm (tools/setup/fetch.sh helm) tests/chart/golden stays as it is: SYNCLINE_GOLDEN=write tools/dev test chart")


def refresh(*targets: str) -> None:
    listed = [path.parent.name for path in sorted((ROOT / "services").glob("*/service.yaml"))]
    generate(ROOT, build("dev", [*listed, *targets]) / "bin")


NEXT = """
services/{name} is there. It counts exported orders, and has to be made what it is for:
  1. tools/dev test unit                   its tests pass already, with everybody else's
  2. tools/dev up; tools/dev run {name}    see it handle events of the local stack
  3. services/{name}/service.yaml          say what it consumes and produces; proto/topics.yaml lists what there is
  4. domain/, its test, then app/, adapters/, wiring.cpp
  5. tools/dev new-service --refresh       whenever configuration, metrics, topics or tables have changed
docs/adding-a-service.md goes through it with an example."""


def execute(arguments: argparse.Namespace) -> int:
    if arguments.refresh:
        refresh()
        return 0
    name = arguments.name
    if not name:
        raise StackError("say how the service is called: tools/dev new-service <name>")
    check_name(name, ROOT)
    write_folder(ROOT, name)
    list_it(ROOT, name)
    say(f"wrote services/{name}")
    if arguments.no_build:
        say("not built: chart, documentation and dashboards know it after tools/dev new-service --refresh")
    else:
        refresh(f"{name.replace('-', '_')}_tests")
    print(NEXT.format(name=name))
    return 0


def register(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser(
        "new-service",
        help="make a service that builds, passes its tests and stands in the chart",
        description="Makes services/<name> from tools/new-service/templates, adds it to the chart's values and to README.md, builds it and "
        "writes what is generated of it: configuration, metrics, the chart's catalogue and schema, dashboards. Nothing is overwritten.",
    )
    parser.add_argument("name", nargs="?", default="", help="lower-case words with hyphens, as in helpdesk-sync: folder, binary, image, consumer group, metrics")
    parser.add_argument("--no-build", action="store_true", help="only write the files")
    parser.add_argument("--refresh", action="store_true", help="make no service: build them all and write again what is generated of them")
    parser.set_defaults(execute=execute)
