"""tools/dev run <service>: one service in the foreground against the stack that `up` started."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import yaml

from ..paths import ROOT, data_folder
from ..process import StackError
from .build import build


# What a service needs to know of the stack, whatever it is; kafka, admin and log are the kit's, the database is its own schema there.
SHARED = ("kafka", "admin", "log", "postgres")


def made_of(neighbour: Path, service: str) -> Path:
    """The configuration of a service that `up` does not start, from that of one it does; further keys are added there by hand."""
    path = neighbour.with_name(f"{service}.yaml")
    known = yaml.safe_load(neighbour.read_text())
    path.write_text(yaml.safe_dump({key: known[key] for key in SHARED}, sort_keys=False))
    return path


def execute(arguments: argparse.Namespace) -> int:
    services = sorted(path.name for path in (ROOT / "services").iterdir() if (path / "main.cpp").exists())
    if arguments.service not in services:
        raise StackError(f"no service '{arguments.service}'; there are: {', '.join(services)}")
    configs = sorted((data_folder() / "stack/config").glob(f"{arguments.service}*.yaml"))
    neighbours = sorted((data_folder() / "stack/config").glob("order-export*.yaml"))
    if not configs and neighbours and not arguments.arguments:
        configs = [made_of(neighbours[0], arguments.service)]
    if not configs and not arguments.arguments:
        raise StackError("no stack is up: run tools/dev up first, or give the service its own arguments after --")
    folder = build("dev", [arguments.service])
    binary = str(folder / "bin" / arguments.service)
    rest = arguments.arguments or ["--config", str(configs[0])]
    # A second instance beside the one of the stack: its own admin port.
    os.environ.setdefault("SYNCLINE_ADMIN_LISTEN", "127.0.0.1:0")
    if arguments.service == "ingress":
        os.environ.setdefault("SYNCLINE_LISTEN", "127.0.0.1:0")
    os.execv(binary, [binary, *rest])


def register(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser("run", help="run one service in the foreground beside the stack of `up`")
    parser.add_argument("service")
    parser.add_argument("arguments", nargs="*", help="its own arguments, after --")
    parser.set_defaults(execute=execute)
