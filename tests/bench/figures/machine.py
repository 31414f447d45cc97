"""What the figures were measured on, and that nothing was switched off to make them better."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

from stack.postgres import Postgres
from stack.stack import Stack


def _first_line(*command: str) -> str:
    try:
        lines = subprocess.run(command, capture_output=True, text=True, timeout=10).stdout.splitlines()
    except OSError:
        return "not installed"
    return lines[0] if lines else "unknown"


def description() -> list[str]:
    cpu = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "unknown")
    memory = int(next(line.split()[1] for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))) // (1 << 20)
    return [
        f"{os.cpu_count()} cores of {cpu}, {memory} GiB, Linux {platform.release()}, {platform.freedesktop_os_release().get('PRETTY_NAME', '')}",
        f"{_first_line('g++', '--version')}; Node {_first_line('node', '--version')}; {_first_line('psql', '--version')}",
        f"load average at the start {os.getloadavg()[0]:.2f}; sender, services and servers share these cores",
    ]


def assert_durable(stack: Stack) -> None:
    """Stops the bench unless PostgreSQL and the producers run with the settings that lose nothing."""
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        value = stack.postgres.query(f"show {setting}")
        if value != "on":
            raise SystemExit(f"bench: PostgreSQL runs with {setting} = {value}; figures without it mean nothing")
    for service in stack.services.values():
        config = Path(service.process.command[service.process.command.index("--config") + 1]).read_text()
        if "acks" in config or "idempotence" in config:
            raise SystemExit(f"bench: {service.name} is configured with other acknowledgements than the shipped ones (acks=all, idempotent)")


def postgres_cpu(stack: Stack) -> float:
    return postgres_cpu_of(stack.postgres)


def postgres_cpu_of(postgres: Postgres) -> float:
    """Of the server and all its children, ended ones included."""
    parent = postgres.process.pid
    ticks = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parts = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(entry.name) == parent:
                ticks += sum(int(part) for part in parts[11:15])
            elif int(parts[1]) == parent:
                ticks += int(parts[11]) + int(parts[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def cpu_seconds(stack: Stack) -> dict[str, float]:
    """Of each process of the stack; PostgreSQL with its children."""
    used = {process.name: process.cpu_seconds() for process in stack.processes()}
    used[stack.postgres.process.name] = postgres_cpu(stack)
    return used
