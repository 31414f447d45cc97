"""tools/dev up and down: the stack without orders, staying until `down`."""

from __future__ import annotations

import argparse
import json
import os
import shutil
from pathlib import Path

import yaml

from ..paths import DEV, data_folder
from ..process import Process, StackError
from ..stack import Connection, Stack
from ..stock import Stock
from .build import build, fetch, say

RUNNING = DEV / "running.json"


def forget_previous() -> None:
    """Stops what an earlier `up` left running: only the ids it kept, only if they still are what they were."""
    if not RUNNING.exists():
        return
    for entry in json.loads(RUNNING.read_text()):
        process = Process(entry["name"], [], Path(entry["log"]), stop_signal=entry["signal"])
        process.kept_pid = entry["pid"]
        if process.running() and started_at(entry["pid"]) == entry["started"]:
            process.stop()
    RUNNING.unlink()


def started_at(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except FileNotFoundError:
        return ""


def remember(stack: Stack) -> None:
    entries = [
        {"name": process.name, "pid": process.pid, "started": started_at(process.pid), "log": str(process.log), "signal": int(process.stop_signal)}
        for process in stack.processes()
    ]
    # Services first, so that they drain before their servers go.
    RUNNING.write_text(json.dumps(sorted(entries, key=lambda entry: entry["name"] in ("kafka", "postgres")), indent=1))


def read_connection(path: str) -> Connection:
    text = Path(path).read_text()
    described = yaml.safe_load(text)
    if not isinstance(described, dict) or not {"name", "url", "database", "api_key_file"} <= described.keys():
        raise StackError(f"{path}: a connection needs name, url, database, login and api_key_file (and may have mapping_file and settings)")
    key = Path(path).parent / described["api_key_file"]
    mapping = described.get("mapping_file")
    return Connection(
        described["name"],
        target={"url": described["url"], "database": described["database"], "login": described.get("login", ""), "api_key": key.read_text().strip()},
        mapping=(Path(path).parent / mapping).read_text() if mapping else "",
        settings=described.get("settings", {}),
    )


def execute(arguments: argparse.Namespace) -> int:
    fetch("kafka", "prometheus", *(["npm"] if arguments.stock else []))
    folder = build("dev", ["ingress", "order-export", "synclinectl", "loadgen", *(["inventory-sync", "order-status", "reconciliation"] if arguments.stock else [])])
    forget_previous()
    home = data_folder() / "stack"
    shutil.rmtree(home, ignore_errors=True)
    connections = [read_connection(path) for path in arguments.connection] or [Connection(latency_ms=arguments.latency_ms)]
    stack = Stack(home, build=folder, connections=connections, prometheus=True, detached=True, stock=Stock() if arguments.stock else None)
    try:
        stack.start(say)
    except BaseException:
        stack.stop()
        raise
    remember(stack)
    environment = DEV / "stack.env"
    environment.write_text((home / "stack.env").read_text())
    shutil.copy(stack.targets_file, DEV / "targets.yaml")
    say(f"the stack is up; addresses: {os.path.relpath(environment)}; stop it with tools/dev down")
    print(environment.read_text())
    return 0


def down(_: argparse.Namespace) -> int:
    if not RUNNING.exists():
        print("nothing is running")
        return 0
    forget_previous()
    (DEV / "stack.env").unlink(missing_ok=True)
    say("the stack is stopped")
    return 0


def register(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser("up", help="start the stack empty and write .dev/stack.env")
    parser.add_argument("--connection", action="append", default=[], metavar="FILE", help="a real target instead of the sandbox (docs/operating/real-odoo.md)")
    parser.add_argument("--latency-ms", type=int, default=0, help="how long the sandbox takes for a call (0)")
    parser.add_argument("--stock", action="store_true", help="with inventory-sync, order-status, reconciliation, a warehouse and Shopify's Admin API as sandboxes")
    parser.set_defaults(execute=execute)
    parser = verbs.add_parser("down", help="stop what `up` started")
    parser.set_defaults(execute=down)
