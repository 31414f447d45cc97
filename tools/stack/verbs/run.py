"""tools/dev run <service>: one service in the foreground against the stack that `up` started."""

from __future__ import annotations

import argparse
import os

from ..paths import ROOT, data_folder
from ..process import StackError
from .build import build


def execute(arguments: argparse.Namespace) -> int:
    services = sorted(path.name for path in (ROOT / "services").iterdir() if (path / "main.cpp").exists())
    if arguments.service not in services:
        raise StackError(f"no service '{arguments.service}'; there are: {', '.join(services)}")
    configs = sorted((data_folder() / "stack/config").glob(f"{arguments.service}*.yaml"))
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
