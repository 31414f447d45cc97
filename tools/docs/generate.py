#!/usr/bin/python3
"""What the services say about themselves (--describe), in the documentation: one source for every key, metric, topic and fate.

  generate.py --write [--bin DIR]    writes docs/configuration.md, docs/metrics.md and the generated blocks of other pages
  generate.py --check [--bin DIR]    exit 1 and a diff where a page or a service.yaml is not what the binaries say

A generated block stands between <!-- generated:NAME --> and <!-- /generated:NAME -->. NAME is one of consumes, produces,
state, configuration, metrics, admin-routes (in services/<service>/README.md) and fates (in any page below docs/).
DIR holds the built services; by default the newest of build/*/bin. Only services that have a service.yaml are looked at.
Exit 77 when one of them is not built (ctest calls that skipped), 2 when something else is wrong.
"""
import argparse
import difflib
import json
import os
import pathlib
import re
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"(<!-- generated:([a-z-]+) -->\n)(.*?)(<!-- /generated:\2 -->)", re.DOTALL)


class Wrong(Exception):
    pass


class NotBuilt(Wrong):
    pass


def cell(text):
    return str(text).replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;").replace("\n", " ")


def table(heads, rows):
    if not rows:
        return "None.\n"
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


# ---- what the binaries say ----

def newest_bin():
    found = [path for path in ROOT.glob("build/*/bin") if any(path.iterdir())]
    if not found:
        raise NotBuilt("no build/*/bin with binaries; build first or give --bin")
    return max(found, key=lambda path: max(entry.stat().st_mtime for entry in path.iterdir()))


def describe(binary):
    # Only PATH: a SYNCLINE_ variable of the caller must not change what is written down.
    done = subprocess.run([binary, "--describe"], capture_output=True, text=True, timeout=60, check=False,
                          env={"PATH": os.environ.get("PATH", "")})
    if done.returncode != 0:
        raise Wrong(f"{binary.name} --describe: exit {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def services(bin_dir):
    described = {}
    for listing in sorted(ROOT.glob("services/*/service.yaml")):
        name = listing.parent.name
        binary = bin_dir / name
        if not binary.is_file():
            raise NotBuilt(f"{binary} is missing: build {name}")
        described[name] = describe(binary)
    if not described:
        raise Wrong("no services/*/service.yaml")
    return described


# ---- tables ----

def default_of(key):
    if key["required"]:
        return "required"
    return f"`{cell(key['default'])}`" if key["default"] else ""


def about_key(key):
    text = cell(key["help"])
    if "choices" in key:
        text += " One of " + ", ".join(f"`{cell(choice)}`" for choice in key["choices"]) + "."
    bounds = [f"{word} {key[word]}" for word in ("min", "max") if word in key]
    if bounds:
        unit = f" {key['unit']}" if key["unit"] else ""
        text += f" ({', '.join(bounds)}{cell(unit)})"
    if key.get("example"):
        text += f" Example: `{cell(key['example'])}`."
    if key["secret"] and key["type"] != "secret_file":
        text += " Masked."
    return text


def key_table(keys):
    return table(["key", "environment", "type", "default", "meaning"],
                 [[f"`{cell(key['key'])}`", f"`{key['env']}`", key["type"], default_of(key), about_key(key)] for key in keys])


def metric_table(metrics):
    return table(["metric", "type", "labels", "meaning"],
                 [[f"`{metric['name']}`", metric["type"], ", ".join(f"`{label}`" for label in metric["labels"]), cell(metric["help"])]
                  for metric in metrics])


def block(name, service):
    if name == "consumes":
        return table(["topic", "event", "family", "group"],
                     [[f"`{row['topic']}`", f"`{row['event']}`", row["family"], f"`{cell(row['group'])}`"] for row in service["consumes"]])
    if name == "produces":
        return table(["topic", "event", "key"],
                     [[f"`{row['topic']}`", f"`{row['event']}`", f"`{cell(row['key'])}`"] for row in service["produces"]])
    if name == "state":
        state = service.get("state")
        if not state:
            return "None.\n"
        return f"PostgreSQL schema `{state['schema']}`: " + ", ".join(f"`{name}`" for name in state["tables"]) + ".\n"
    if name == "configuration":
        return key_table([key for key in service["config"] if key["owner"] == "service"]) + \
            "\nThe keys of every service: [docs/configuration.md](../../docs/configuration.md).\n"
    if name == "metrics":
        return metric_table(service["metrics"])
    if name == "admin-routes":
        return table(["route", "answers"],
                     [[f"`{route['method']} {cell(route['path'])}`", cell(route["help"])] for route in service["admin_routes"]])
    if name == "fates":
        return table(["kind", "when", "fate"],
                     [[f"`{row['kind']}`", cell(row["when"]), cell(row["fate"])] for row in service["retry_policy"]])
    raise Wrong(f"unknown generated block '{name}'")


def configuration_page(described):
    parts = ["# Configuration", "",
             "Made by `tools/docs/generate.py --write` from `--describe`; do not edit. A value comes from the YAML file given with `--config` "
             "or from the environment, which wins. Durations are written `500ms`, `8s`, `5m`, `2h`; sizes `64KiB`, `8MiB`; lists in the "
             "environment are comma-separated, maps `name=value` pairs. An unknown key stops the start and names its nearest relative.", "",
             "## Every service", ""]
    first = next(iter(described.values()))
    parts.append(key_table([key for key in first["config"] if key["owner"] == "kit"]))
    for name, service in described.items():
        parts += [f"## {name}", "", key_table([key for key in service["config"] if key["owner"] == "service"])]
    return "\n".join(parts)


def metrics_page(described):
    where, seen = {}, {}
    for name, service in described.items():
        for metric in service["metrics"]:
            where.setdefault(metric["name"], []).append(name)
            seen[metric["name"]] = metric
    everywhere = [seen[name] for name in sorted(seen) if len(where[name]) == len(described)]
    parts = ["# Metrics", "",
             "Made by `tools/docs/generate.py --write` from `--describe`; do not edit. Every series also carries `service`. Served at "
             "`/metrics` on the admin port.", "", "## Every service", "", metric_table(everywhere)]
    for name, service in described.items():
        own = [metric for metric in service["metrics"] if len(where[metric["name"]]) < len(described)]
        parts += [f"## {name}", "", metric_table(own)]
    return "\n".join(parts)


# ---- service.yaml ----

def check_listing(name, service):
    """What service.yaml says that the binary does not, and the other way round."""
    path = ROOT / "services" / name / "service.yaml"
    listing = yaml.safe_load(path.read_text(encoding="utf-8"))
    findings = []

    def compare(what, listed, told):
        for entry in sorted(listed - told):
            findings.append(f"{what} {entry} is listed, the binary does not have it")
        for entry in sorted(told - listed):
            findings.append(f"{what} {entry} is missing, the binary has it")

    if listing.get("service") != name:
        findings.append(f"service is '{listing.get('service')}', the folder is {name}")
    if listing.get("status") not in ("wip", "beta", "stable"):
        findings.append("status is one of wip, beta, stable")
    if not listing.get("owner"):
        findings.append("owner is missing")
    compare("consumes", {f"{row['topic']} {row['event']} {row['group']}" for row in listing.get("consumes") or []},
            {f"{row['topic']} {row['event']} {row['group']}" for row in service["consumes"]})
    compare("produces", {f"{row['topic']} {row['event']} {row['key']}" for row in listing.get("produces") or []},
            {f"{row['topic']} {row['event']} {row['key']}" for row in service["produces"]})
    listed_tables = {f"{row['postgres']}.{table}" for row in listing.get("state") or [] for table in row["tables"]}
    state = service.get("state") or {"schema": "", "tables": []}
    compare("state", listed_tables, {f"{state['schema']}.{table}" for table in state["tables"]})
    own_prefixes = (f"syncline_{name.replace('-', '_')}_", f"{name.replace('-', '_')}_")
    compare("metric", {f"{row['name']} {row['type']}" for row in listing.get("metrics") or []},
            {f"{row['name']} {row['type']}" for row in service["metrics"] if row["name"].startswith(own_prefixes)})
    return [f"services/{name}/service.yaml: {finding}" for finding in findings]


# ---- pages ----

def pages(described):
    """{path: text as it should be}"""
    wanted = {ROOT / "docs/configuration.md": configuration_page(described), ROOT / "docs/metrics.md": metrics_page(described)}
    with_policy = next((service for service in described.values() if service.get("retry_policy")), None)
    sources = [(ROOT / "services" / name / "README.md", service) for name, service in described.items()]
    sources += [(path, with_policy) for path in sorted((ROOT / "docs").rglob("*.md")) if path not in wanted]
    for path, service in sources:
        if not path.is_file():
            continue
        text = path.read_text(encoding="utf-8")
        made = BLOCK.sub(lambda match, service=service: match[1] + block(match[2], service) + match[4], text)
        if BLOCK.search(text):
            wanted[path] = made
    return wanted


def bring(wanted, *, write):
    """Writes {path: text}, or prints how the files differ from it. Returns how many differ and were not written."""
    stale = 0
    for path, text in wanted.items():
        present = path.read_text(encoding="utf-8") if path.is_file() else ""
        if present == text:
            continue
        name = path.relative_to(ROOT).as_posix()
        if write:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")
        else:
            stale += 1
            sys.stdout.writelines(difflib.unified_diff(present.splitlines(True), text.splitlines(True), name, f"{name} (as it would be made)"))
    return stale


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verb = parser.add_mutually_exclusive_group(required=True)
    verb.add_argument("--write", action="store_true")
    verb.add_argument("--check", action="store_true")
    parser.add_argument("--bin", type=pathlib.Path, help="folder of the built services")
    arguments = parser.parse_args()
    try:
        described = services(arguments.bin or newest_bin())
        wanted = pages(described)
        findings = [finding for name, service in described.items() for finding in check_listing(name, service)]
    except Wrong as wrong:
        print(f"generate.py: {wrong}", file=sys.stderr)
        return 77 if isinstance(wrong, NotBuilt) else 2
    for finding in findings:
        print(finding)
    stale = bring(wanted, write=arguments.write)
    if stale:
        print("run tools/docs/generate.py --write")
    return 1 if findings or stale else 0


if __name__ == "__main__":
    sys.exit(main())
