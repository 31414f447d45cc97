"""The chart as its users render it: helm template with a value set of helm/syncline/ci."""

from __future__ import annotations

import functools
import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "helm/syncline"
TOOLS = ROOT / ".dev/tools/helm"
HELM = TOOLS / "bin/helm"
BIN = Path(os.environ.get("SYNCLINE_BUILD", ROOT / "build/dev")) / "bin"
VALUE_SETS = sorted(path.name.removesuffix("-values.yaml") for path in (CHART / "ci").glob("*-values.yaml"))
MINORS = sorted(path.name.removeprefix("v") for path in (TOOLS / "schemas").glob("v*"))

Object = dict[str, Any]


def template(value_set: str, *arguments: str, values: Object | None = None, minor: str = "") -> subprocess.CompletedProcess[str]:
    """`values` are laid over those of the value set."""
    command = [str(HELM), "template", "syncline", str(CHART), "--namespace", "shop", "--kube-version", minor or MINORS[-1]]
    command += ["--values", str(CHART / "ci" / f"{value_set}-values.yaml"), *arguments]
    if values is not None:
        command += ["--values", "-"]
    return subprocess.run(command, input=None if values is None else json.dumps(values), capture_output=True, text=True, timeout=60)


@functools.cache
def _text(value_set: str, arguments: tuple[str, ...], values: str) -> str:
    done = template(value_set, *arguments, values=json.loads(values) if values else None)
    assert done.returncode == 0, done.stderr
    return done.stdout


def text(value_set: str, *arguments: str, values: Object | None = None) -> str:
    return _text(value_set, arguments, json.dumps(values) if values is not None else "")


@functools.cache
def _objects(rendered: str) -> list[Object]:
    # libyaml's reader: dashboards make ten thousand lines.
    return [found for found in yaml.load_all(rendered, Loader=yaml.CSafeLoader) if found]


def objects(value_set: str, *arguments: str, values: Object | None = None) -> list[Object]:
    """What is rendered; for reading only, as the next caller gets the same."""
    return _objects(text(value_set, *arguments, values=values))


def of_kind(found: Iterable[Object], kind: str) -> list[Object]:
    return [one for one in found if one["kind"] == kind]


def one(found: Iterable[Object], kind: str, name: str) -> Object:
    named = [each for each in of_kind(found, kind) if each["metadata"]["name"] == name]
    assert len(named) == 1, f"{len(named)} {kind} {name}"
    return named[0]


def pods(found: Iterable[Object]) -> list[tuple[str, Object]]:
    """Every pod template there is, with the name of its owner."""
    out = []
    for each in found:
        name = f"{each['kind']}/{each['metadata']['name']}"
        if each["kind"] == "Pod":
            out.append((name, {"metadata": each["metadata"], "spec": each["spec"]}))
        elif each["kind"] in ("Deployment", "Job"):
            out.append((name, each["spec"]["template"]))
        elif each["kind"] == "CronJob":
            out.append((name, each["spec"]["jobTemplate"]["spec"]["template"]))
    return out
