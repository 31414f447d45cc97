#!/usr/bin/env python3
"""Checks the structure of the checkout: dependency direction, banned calls, alert and runbook pairs, forbidden words.

Prints one line a finding (file:line: what, and what to do instead) and exits 1 when there is one.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# What each part may include, besides itself. DESIGN: proto → core → {json, telemetry} → {http, postgres, kafka} → kit → connectors → services.
EVENTS = {"events"}
LIBRARIES = {
    "core": set(),
    "json": {"core"},
    "telemetry": {"core", "json"},
    "http": {"core", "json", "telemetry"},
    "postgres": {"core", "json", "telemetry"},
    "kafka": {"core", "json", "telemetry"},
    "kit": {"core", "json", "telemetry", "http", "postgres", "kafka"} | EVENTS,
    "odoo": {"core", "json", "telemetry", "http"},
    "zendesk": {"core", "json", "telemetry", "http"},
    "shopify": {"core", "json", "telemetry", "http", "kit"},
}
SERVICE_LIBRARIES = set(LIBRARIES) | EVENTS
# Inside a service: what each layer may include of the libraries (headers exactly) and of the service.
LAYERS = {
    "domain": ({"core"}, {"domain"}),
    "app": ({"core", "kit/outcome.h", "kit/delivery.h"}, {"domain", "app"}),
}
HEAVY = re.compile(r'#include <(pqxx|cpprest|rapidjson|librdkafka|boost/beast|boost/asio|prometheus|spdlog|opentelemetry|CLI)/?')
INCLUDE = re.compile(r'^\s*#include\s+[<"]([^">]+)[">]')

BANNED = [
    (re.compile(r"\bstd::sto[ild]l?\("), "std::sto… throws and skips garbage: core::parse_int", ("/tests/", "/testing/")),
    (re.compile(r"\bsleep_for\(|\busleep\(|\bsleep\("), "sleeping hides a missing condition: wait on core::Clock", ("libs/core/", "/tests/", "/testing/", "tools/loadgen/")),
    (re.compile(r"\bgetenv\("), "read the configuration, not the environment", ("libs/kit/src/runtime/", "libs/core/src/fault.cpp", "libs/telemetry/src/", "/tests/", "/testing/", "tools/")),
    (re.compile(r"std::cout|std::cerr|\bprintf\("), "log with syncline/telemetry/log.h", ("libs/kit/src/runtime/", "tools/", "/tests/", "/fuzz/", "/bench/", "tests/")),
    (re.compile(r"system_clock::now\(|steady_clock::now\("), "take the time from core::Clock", ("libs/core/", "/tests/", "/testing/", "tools/", "/bench/", "libs/http/", "libs/kafka/", "libs/postgres/", "libs/telemetry/")),
    (re.compile(r"pqxx::subtransaction"), "libpqxx 6.4 starts it lazily (LIBRARY-FAULTS): INSERT … ON CONFLICT instead", ()),
    (re.compile(r"rd_kafka_seek|rd_kafka_consume_batch|rd_kafka_query_watermark_offsets"), "faulty in librdkafka 2.0.2: reassign with offsets, poll one by one, use statistics", ()),
    (re.compile(r"kParseFullPrecisionFlag"), "crashes on hostile numbers (RapidJSON #1251): numbers as strings", ()),
]
FORBIDDEN_TEXT = [
    (re.compile(r"\b(TODO|FIXME|XXX)\b"), "finish it or write an issue"),
    (re.compile(r"/work/(main|shared)|/tmp/plan"), "a path of one machine"),
]
TEXT_SUFFIXES = {".cpp", ".h", ".py", ".mjs", ".js", ".sh", ".md", ".yaml", ".yml", ".proto", ".cmake", ".txt", ".json", ".tpl"}


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in done.stdout.splitlines() if (ROOT / name).is_file()]


def part_of(path: Path) -> tuple[str, str]:
    """("lib", name), ("service", name) or ("other", "")."""
    parts = path.relative_to(ROOT).parts
    if parts[0] == "libs":
        return "lib", parts[2] if parts[1] == "connectors" else parts[1]
    if parts[0] == "services":
        return "service", parts[1]
    return "other", ""


def library_of(include: str) -> str | None:
    if not include.startswith("syncline/"):
        return None
    if include.endswith(".pb.h") or include == "syncline/topics.h":
        return "events"
    return include.split("/")[1]


def check_includes(path: Path, text: str) -> list[str]:
    kind, name = part_of(path)
    if kind == "other":
        return []
    relative = path.relative_to(ROOT)
    inside = relative.parts[3 if relative.parts[1] == "connectors" else 2] if len(relative.parts) > 3 else ""
    tests = "tests" in relative.parts or "fuzz" in relative.parts
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        include = match.group(1)
        library = library_of(include)
        if kind == "lib" and library and not tests:
            allowed = LIBRARIES.get(name, set()) | {name}
            if library not in allowed:
                found.append(f"{relative}:{number}: libs/{name} may not include <{include}>; it may use {', '.join(sorted(allowed))}")
        if kind == "service" and not tests and inside in LAYERS:
            libraries, own = LAYERS[inside]
            if library and library not in libraries and include.removeprefix("syncline/") not in libraries:
                found.append(f"{relative}:{number}: {inside}/ may not include <{include}>; move it to adapters/")
            if library is None and '"' in line and "/" in include and include.split("/")[0] not in own:
                found.append(f"{relative}:{number}: {inside}/ may not include \"{include}\"; dependencies point to domain/")
        if kind == "service" and not library and '"' in line and include.startswith("../"):
            found.append(f"{relative}:{number}: services never include each other: \"{include}\"")
        if "/include/" in str(path) and "testing" not in relative.parts and HEAVY.match(line):
            found.append(f"{relative}:{number}: a public header may not include <{include}>; hide it in src/")
    return found


def check_banned(path: Path, text: str) -> list[str]:
    relative = str(path.relative_to(ROOT))
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        code = line.split("//")[0]
        for pattern, instead, exempt in BANNED:
            if pattern.search(code) and not any(part in f"/{relative}" or relative.startswith(part) for part in exempt):
                found.append(f"{relative}:{number}: {instead}")
    return found


def check_text(path: Path, text: str) -> list[str]:
    relative = path.relative_to(ROOT)
    # Fixtures say what foreign systems say: "XXX" is a currency code there.
    if relative.name == "tidy.py" or relative.is_relative_to("tests/contracts/fixtures"):
        return []
    return [
        f"{relative}:{number}: {instead}"
        for number, line in enumerate(text.splitlines(), 1)
        for pattern, instead in FORBIDDEN_TEXT
        if pattern.search(line)
    ]


def check_alerts() -> list[str]:
    rules = ROOT / "helm/syncline/files/rules"
    runbooks = ROOT / "deploy/runbooks"
    alerts = {name for path in rules.glob("*.yaml") for name in re.findall(r"^\s*- alert:\s*(\S+)", path.read_text(), re.M)}
    pages = {path.stem for path in runbooks.glob("*.md")} - {"README"}
    found = [f"deploy/runbooks/{name}.md: missing; every alert has its runbook" for name in sorted(alerts - pages)]
    return found + [f"deploy/runbooks/{name}.md: no alert of that name" for name in sorted(pages - alerts)]


def main() -> int:
    found = check_alerts()
    for path in tracked():
        if path.suffix not in TEXT_SUFFIXES:
            continue
        text = path.read_text(errors="replace")
        if path.suffix in {".cpp", ".h"}:
            found += check_includes(path, text) + check_banned(path, text)
        if "fixtures" not in path.parts and "corpus" not in path.parts:
            found += check_text(path, text)
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
