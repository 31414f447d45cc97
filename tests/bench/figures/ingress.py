"""ingress: requests/s for a 10 KB order, against the same server without work and against a plain Node service with the same work."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path

from stack.paths import DEV, ROOT
from stack.process import Process, StackError, wait_until
from stack.stack import Shop, Stack

from . import machine, webhooks
from .report import Report

TITLE = "ingress: verify, parse, map and acknowledge a 10 KB order"
ROUNDS = 3
SECONDS = 8
CONNECTIONS = 64
NODE_SERVICE = Path(__file__).resolve().parents[1] / "node-service"


@dataclass
class Candidate:
    name: str
    process: Process
    port: int


@dataclass
class Measured:
    per_second: float
    cpu_us: float
    p50_us: float
    p99_us: float
    load_cpu: float
    kafka_cpu: float


def port_of(process: Process, name: str) -> int:
    """The first line of its log is its port."""

    def line() -> str:
        if not process.running():
            raise StackError(f"{name} ended at start:\n{process.tail()}")
        lines = process.log.read_text().splitlines() if process.log.exists() else []
        return next((text for text in lines if text.isdigit()), "")

    return int(str(wait_until(line, 30, f"{name} says its port (log: {process.log})")))


def start_node(folder: Path, stack: Stack) -> Candidate:
    tools = DEV / "tools/bench-node"
    tools.mkdir(parents=True, exist_ok=True)
    wanted = (NODE_SERVICE / "package.json").read_text()
    if not (tools / "node_modules").exists() or (tools / "package.json").read_text() != wanted:
        shutil.copy(NODE_SERVICE / "package.json", tools)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"], cwd=tools, check=True)
    shutil.copy(NODE_SERVICE / "server.mjs", tools)
    shops = {shop.domain: {"alias": shop.alias, "secret": shop.secret} for shop in stack.shops}
    process = Process(
        "node",
        [shutil.which("node") or "node", "server.mjs", str(ROOT / "proto"), stack.kafka.brokers, "syncline.orders.v1", json.dumps(shops)],
        folder / "node.log",
        env={"NODE_ENV": "production"},
    )
    process.command[1] = str(tools / "server.mjs")
    process.start()
    return Candidate("Node Express + kafkajs", process, port_of(process, "the Node service"))


def measure(stack: Stack, candidate: Candidate, requests: Path, rate: float = 0, seconds: float = SECONDS) -> Measured:
    cpu, kafka = candidate.process.cpu_seconds(), stack.kafka.process.cpu_seconds()
    command = [str(stack.bin / "bench_http_load"), "--port", str(candidate.port), "--requests", str(requests)]
    command += ["--connections", str(CONNECTIONS), "--rate", f"{rate:.1f}", "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise StackError(f"the sender failed: {done.stderr}")
    result = json.loads(done.stdout)
    if set(result["statuses"]) != {"200"} or result["unanswered"] or result["not_sent"]:
        raise StackError(f"{candidate.name} did not answer everything with 200: {result}")
    return Measured(
        result["per_second"],
        (candidate.process.cpu_seconds() - cpu) / result["answered"] * 1e6,
        result["p50_us"],
        result["p99_us"],
        result["cpu_seconds"],
        stack.kafka.process.cpu_seconds() - kafka,
    )


def run(report: Report, folder: Path, build: Path) -> None:
    shops = [Shop("eu"), Shop("us", currency="USD")]
    with Stack(folder, build=build, shops=shops, connections=[], log_level="warn", long_lived=True) as stack:
        machine.assert_durable(stack)
        requests = folder / "requests.bin"
        size = webhooks.write_requests(requests, path="/webhooks/shopify", shops=[(shop.domain, shop.secret) for shop in shops], count=4000)
        bare = Process("bare server", [str(stack.bin / "bench_bare_server")], folder / "bare.log").start()
        candidates = [
            Candidate("server without work", bare, port_of(bare, "the bare server")),
            Candidate("ingress", stack.services["ingress"].process, stack.ingress_port),
            start_node(folder, stack),
        ]
        try:
            _compare(report, stack, candidates, requests, size)
        finally:
            for candidate in candidates:
                candidate.process.stop()


def _compare(report: Report, stack: Stack, candidates: list[Candidate], requests: Path, size: int) -> None:
    for candidate in candidates:
        report.note(f"warming {candidate.name}")
        measure(stack, candidate, requests, seconds=3)
    found: dict[str, list[Measured]] = {candidate.name: [] for candidate in candidates}
    for number in range(ROUNDS):  # In turn, so that what else happens on the machine meets all of them.
        for candidate in candidates:
            report.note(f"round {number + 1} of {ROUNDS}: {candidate.name}")
            found[candidate.name].append(measure(stack, candidate, requests))
    median = {name: sorted(runs, key=lambda one: one.per_second)[len(runs) // 2] for name, runs in found.items()}
    at_half = {}
    for candidate in candidates:
        report.note(f"latency at half rate: {candidate.name}")
        at_half[candidate.name] = measure(stack, candidate, requests, rate=median[candidate.name].per_second / 2)
    cpu = {name: statistics.median(run.cpu_us for run in runs) for name, runs in found.items()}
    report.say(f"{CONNECTIONS} connections, bodies of {size} bytes, {ROUNDS} rounds of {SECONDS} s in turn, medians; latency at half of each one's own rate, open loop.")
    report.table(
        ["", "requests/s", "CPU µs a request", "p50 ms", "p99 ms", "sender CPU s", "Kafka CPU s"],
        [
            [name, f"{one.per_second:,.0f}", f"{cpu[name]:.0f}", f"{at_half[name].p50_us / 1e3:.1f}", f"{at_half[name].p99_us / 1e3:.1f}",
             f"{one.load_cpu:.1f}", f"{one.kafka_cpu:.1f}"]
            for name, one in median.items()
        ],
    )  # fmt: skip
    ours, node = median["ingress"], median["Node Express + kafkajs"]
    report.aim(f"≥ 6 times the Node service ({ours.per_second / node.per_second:.1f} times)", ours.per_second >= 6 * node.per_second)
    report.aim(f"p99 < 15 ms at half rate ({at_half['ingress'].p99_us / 1e3:.1f} ms)", at_half["ingress"].p99_us < 15_000)
    report.aim(f"CPU < 70 µs a request ({cpu['ingress']:.0f} µs)", cpu["ingress"] < 70)
