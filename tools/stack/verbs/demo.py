"""tools/dev demo: a day of orders of two shops through the real system, and what became of each; then stock, and a sabotage of it."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ..outcome import Expectation, Findings, compare, compare_waiting, sandbox
from ..paths import ROOT, data_folder
from ..process import StackError, wait_until
from ..stack import Connection, Stack, usual_shops
from . import demo_stock
from .build import build, fetch, say

BAR = 30


def progress(done: int, total: int, what: str) -> None:
    share = min(1.0, done / max(1, total))
    bar = "█" * int(BAR * share) + "░" * (BAR - int(BAR * share))
    end = "\r" if sys.stdout.isatty() else "\n"
    print(f"  {bar} {done:>6}/{total} {what}      ", end=end, flush=True)


def workload(arguments: argparse.Namespace) -> list[str]:
    return [
        *("--seed", str(arguments.seed), "--orders", str(arguments.orders), "--shops", "eu,us", "--kinds", "everything,large=1"),
        *("--curve", "black-friday", "--rate", str(arguments.rate), "--duplicates", "0.05", "--reorder", "0.05", "--poison", "2", "--start", "now"),
    ]


def mapping_with_a_gap(missing: str) -> str:
    """The local mapping without one tax, so that its orders are held until somebody adds it: "FR/5.5/incl"."""
    country, rate, included = missing.split("/")
    text = (ROOT / "deploy/local/mappings/odoo-main.yaml").read_text()
    tax = f"  - {{country: {country}, rate: {rate}, included: {'true' if included == 'incl' else 'false'}, "
    kept = [line for line in text.splitlines() if not line.startswith(tax)]
    return "\n".join(kept) + "\n"


class Day:
    """One demo: the stack, the day's deliveries, and what came of them."""

    def __init__(self, stack: Stack, build: Path, options: list[str]) -> None:
        self.stack = stack
        self.loadgen = build / "bin" / "loadgen"
        self.file = stack.folder / "day.jsonl"
        self.options = options
        subprocess.run([str(self.loadgen), "generate", *options, "--out", str(self.file)], check=True)
        self.expected = Expectation.of(self.loadgen, options)
        self.report: dict = {}

    @property
    def documents_wanted(self) -> int:
        return sum(1 for order in self.expected.orders if order["state"] not in ("", "none"))

    def send(self) -> None:
        secrets = [f"{shop.alias}={self.stack.folder / 'secrets' / f'shopify-{shop.alias}'}" for shop in self.stack.shops]
        command = [str(self.loadgen), "send", "--ingress", self.stack.ingress_url, "--in", str(self.file)]
        for secret in secrets:
            command += ["--secret", secret]
        with open(self.stack.folder / "sender.json", "w") as out, open(self.stack.folder / "sender.log", "w") as errors:
            sender = subprocess.Popen(command, stdout=out, stderr=errors)
            while sender.poll() is None:
                progress(self.documents(), self.documents_wanted, "orders in the ERP")
                time.sleep(1)
        if sender.returncode != 0:
            raise StackError(f"the sender failed: {(self.stack.folder / 'sender.log').read_text()[-800:]}")
        self.report = json.loads((self.stack.folder / "sender.json").read_text())

    def documents(self) -> int:
        return sandbox(self.stack, "summary")["orders"]["total"]

    def settle(self, seconds: float) -> None:
        """Waits until every record was read and settled and nothing is under way."""

        def settled() -> bool:
            progress(self.documents(), self.documents_wanted, "orders in the ERP")
            busy = 0.0
            for service in self.stack.exports():
                busy += service.metric("syncline_in_flight_records") + service.metric("syncline_outbox_unsent")
                busy += service.metric("syncline_parked_keys", state="waiting")
            return busy == 0 and self.read() >= self.published()

        try:
            wait_until(settled, seconds, "everything that was published is settled", interval=1)
        finally:
            print()

    def published(self) -> int:
        """Records in the orders topic, by the broker."""
        out = subprocess.run(
            ["kcat", "-b", self.stack.kafka.brokers, "-Q", *(word for number in range(12) for word in ("-t", f"syncline.orders.v1:{number}:-1"))],
            capture_output=True,
            text=True,
            timeout=30,
        ).stdout
        return sum(int(line.rsplit(" ", 1)[1]) for line in out.splitlines() if line.startswith("syncline.orders.v1"))

    def read(self) -> int:
        """Records that order-export has settled, duplicates included."""
        return int(sum(service.metric("syncline_events_total") for service in self.stack.exports()))

    def table(self, findings: Findings) -> None:
        stack = self.stack
        ingress = stack.services["ingress"]
        exports = stack.exports()
        skipped: dict[str, int] = {}
        for service in exports:
            for line in service.metrics().splitlines():
                if line.startswith("syncline_events_total{") and 'outcome="skipped"' in line:
                    code = line.split('code="', 1)[1].split('"', 1)[0]
                    skipped[code] = skipped.get(code, 0) + int(float(line.rsplit(" ", 1)[1]))
        holds = stack.admin(exports[0], "/admin/holds?limit=100000")["items"]
        reasons: dict[str, int] = {}
        for entry in holds:
            name = entry["code"] + (f" {entry['waits_for']}" if entry["waits_for"] else "")
            reasons[name] = reasons.get(name, 0) + 1
        latency = [stack.prometheus.value(f"histogram_quantile({q}, sum by (le) (syncline_order_export_placed_to_acknowledged_seconds_bucket))") for q in (0.5, 0.99)]
        summary = self.expected.summary
        rows = [
            ("webhooks sent", f"{self.report.get('sent', '?')} ({summary['duplicates']} duplicates, {summary['poison']} poison)"),
            ("answered 200", str(int(sum(ingress.metric("syncline_ingress_requests_total", outcome=name) for name in ("published", "dead_lettered", "ignored"))))),
            ("orders received", str(summary["orders"])),
            ("documents in the ERP", f"{findings.documents}, {findings.lines} lines compared"),
            ("credit notes", str(findings.credit_notes)),
            ("held", f"{len(holds)}  " + ", ".join(f"{count} × {name}" for name, count in sorted(reasons.items()))),
            ("dead letters", f"{int(ingress.metric('syncline_ingress_requests_total', outcome='dead_lettered'))} at ingress (not mappable), {int(sum(s.metric('syncline_dead_letters_total') for s in exports))} at order-export"),
            ("duplicates absorbed", str(int(sum(s.metric("syncline_duplicates_total") for s in exports)))),
            ("skipped", ", ".join(f"{count} × {name}" for name, count in sorted(skipped.items()))),
            ("placed → in the ERP", "p50 {} s, p99 {} s".format(*(f"{value:.2f}" if value is not None else "?" for value in latency))),
        ]
        width = max(len(name) for name, _ in rows)
        print()
        for name, value in rows:
            print(f"  {name:<{width}}  {value}")
        print()
        if findings.differences:
            print(f"  {len(findings.differences)} differences from what the seed fixes:")
            for line in findings.differences[:25]:
                print(f"    {line}")
        else:
            print("  every document and hold is what the seed fixes, nothing is parked, and no skipped order stands in the ERP")


def commands(stack: Stack, missing: str) -> None:
    synclinectl = f"{os.path.relpath(stack.bin / 'synclinectl')} --targets {os.path.relpath(stack.targets_file)}"
    mapping = os.path.relpath(stack.mapping_file())
    original = "deploy/local/mappings/odoo-main.yaml"
    print(
        f"""
  look further:
    {stack.prometheus.url}/graph?g0.expr=sum%20by%20(outcome,code)%20(syncline_events_total)&g0.tab=1
    {synclinectl} hold list
    {synclinectl} dlq list
    {synclinectl} doctor
    {synclinectl} reconcile list
    curl '{stack.shopify.control_url}/_sandbox/shops/{demo_stock.SELLING}/history?sku={demo_stock.SKU}'    # what changed a level in Shopify, and who
    cp {original} {mapping}    # adds the missing tax {missing}: all its orders go on by themselves
"""
    )


def execute(arguments: argparse.Namespace) -> int:
    fetch("kafka", "prometheus", "npm")
    folder = build("dev", ["ingress", "order-export", "inventory-sync", "reconciliation", "synclinectl", "loadgen"])
    home = Path(tempfile.mkdtemp(prefix="demo-", dir=data_folder()))
    home.chmod(0o755)
    missing = "PT/23.0/incl"
    shops = [*usual_shops(), *demo_stock.shops()]
    connection = Connection(mapping=mapping_with_a_gap("PT/23/incl"))
    stack = Stack(home, build=folder, shops=shops, connections=[connection], prometheus=True, stock=demo_stock.stock())
    try:
        stack.start(say)
        say(f"a day of {arguments.orders} orders of two shops, seed {arguments.seed}")
        day = Day(stack, folder, workload(arguments))
        day.send()
        day.settle(arguments.seconds)
        findings = compare(stack, day.expected)
        compare_waiting(stack, day.expected, findings)
        poison = int(stack.services["ingress"].metric("syncline_ingress_requests_total", outcome="dead_lettered"))
        if poison < day.expected.summary["poison"]:
            findings.differences.append(f"{poison} webhooks became dead letters at ingress, {day.expected.summary['poison']} were sent to")
        time.sleep(5)  # Two scrapes, so that Prometheus has the last figures.
        day.table(findings)
        failures = demo_stock.Chapter(stack).play()
        if arguments.exit:
            return 1 if findings.differences or failures else 0
        commands(stack, missing)
        print("  everything stays up until Ctrl-C")
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        print("\nstopping")
        return 0
    finally:
        stack.stop()
        if not arguments.keep:
            shutil.rmtree(home, ignore_errors=True)


def register(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser("demo", help="watch a day of orders go through, stock travel, and a sabotage healed", description=__doc__)
    parser.add_argument("--exit", action="store_true", help="end after the tables; exit code 0 only if every count adds up and every step of the stock came true")
    parser.add_argument("--orders", type=int, default=3000, help="orders of both shops together (3000)")
    parser.add_argument("--rate", type=float, default=50, help="orders a second on average (50)")
    parser.add_argument("--seed", type=int, default=7, help="equal seeds give equal days (7)")
    parser.add_argument("--seconds", type=float, default=300, help="how long to wait for the last order (300)")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and data")
    parser.set_defaults(execute=execute)
