"""Idle memory of each service and its time to ready."""

from __future__ import annotations

import http.client
import statistics
import time
from pathlib import Path

from stack.process import Process, StackError
from stack.stack import Service, Stack

from . import machine
from .report import Report

TITLE = "Idle memory and time to ready"
STARTS = 5
SETTLE_SECONDS = 20


def until_started(service: Service) -> float:
    """Starts the process and returns the milliseconds until /startupz says that configuration, schema and brokers are checked."""
    host, port = service.admin.rsplit(":", 1)
    began = time.monotonic()
    service.process.start()
    while time.monotonic() - began < 30:
        try:
            connection = http.client.HTTPConnection(host, int(port), timeout=2)
            connection.request("GET", "/startupz")
            if connection.getresponse().status == 200:
                return (time.monotonic() - began) * 1000
        except OSError:
            pass
        if not service.process.running():
            raise StackError(f"{service.name} ended at start:\n{service.process.tail()}")
        time.sleep(0.002)
    raise StackError(f"{service.name} did not start within 30 s")


def threads_of(process: Process) -> int:
    return len(list(Path(f"/proc/{process.pid}/task").iterdir()))


def run(report: Report, folder: Path, build: Path) -> None:
    with Stack(folder, build=build) as stack:
        machine.assert_durable(stack)
        rows = []
        for service in stack.services.values():
            report.note(f"starting {service.name} {STARTS} times")
            times = []
            for _ in range(STARTS):
                service.process.stop()
                times.append(until_started(service))
            stack.wait_ready(service)
            rows.append((service, statistics.median(times), max(times)))
        report.note(f"idle for {SETTLE_SECONDS} s")
        time.sleep(SETTLE_SECONDS)
        memory = {service.name: service.process.memory_pss() / (1 << 20) for service, _, _ in rows}
        report.say(f"Proportional set size after {SETTLE_SECONDS} s without work, consumers joined; {STARTS} starts.")
        report.table(
            ["", "PSS MiB", "threads", "ready ms (median)", "ready ms (worst)"],
            [[service.name, f"{memory[service.name]:.1f}", threads_of(service.process), f"{median:.0f}", f"{worst:.0f}"] for service, median, worst in rows],
        )
        for service, median, _ in rows:
            report.aim(f"{service.name} < 30 MB ({memory[service.name]:.1f} MiB)", memory[service.name] * 1.048576 < 30)
            report.aim(f"{service.name} ready < 300 ms ({median:.0f} ms)", median < 300)
