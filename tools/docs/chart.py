#!/usr/bin/python3
"""What the chart knows of the services, from the services themselves and from proto/topics.yaml.

  chart.py --write [--bin DIR]    writes helm/syncline/files/catalogue.yaml, values.schema.json and the table of README.md
  chart.py --check [--bin DIR]    exit 1 and a diff where one of them is not what it would write

The schema's frame is tools/docs/chart_schema.yaml; the configuration of each service comes from its --describe. DIR holds the built
services; by default the newest of build/*/bin. Exit 77 when one of them is not built (ctest calls that skipped), 2 when something
else is wrong.
"""

import argparse
import json
import pathlib
import re
import sys

import generate
import topics
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "helm/syncline"
# What the chart itself writes into a service's configuration, from values of their own.
MADE = {
    "kafka.brokers", "kafka.topic_prefix", "kafka.security.protocol", "kafka.security.ca_file", "kafka.security.certificate_file",
    "kafka.security.key_file", "kafka.security.mechanism", "kafka.security.username", "kafka.security.password_file",
    "postgres.url", "postgres.url_file", "postgres.migrate_at_start", "admin.listen", "admin.token_file", "shops_file", "mappings_dir",
    "drain_seconds", "limits.call_deadline", "listen", "connection", "name", "stock.sources_file",
}  # fmt: skip
# Which of a service's own keys the templates ask for before they write them.
ASKED = ("listen", "stock.sources_file", "stock.inventory_sync.urls")
DEAD_LETTERS = ("dead-letters.v1", "dead-letter-actions.v1")


# ---- files/catalogue.yaml ----


def connection_key(described):
    """The key that names a deployment, if it works for connections."""
    own = {key["key"] for key in described["config"] if key["owner"] == "service"}
    return next((name for name in ("connection", "name") if name in own), "")


def rights(described):
    """{topic: operations} that a service needs, and nothing more."""
    operations = {}
    for row in described["consumes"]:
        operations.setdefault(row["topic"], set()).update(("Read", "Describe"))
    for row in described["produces"]:
        operations.setdefault(row["topic"], set()).update(("Write", "Describe"))
    if described["consumes"]:
        # The kit's dead letters and what operators do with them go through the service's outbox.
        for topic in DEAD_LETTERS:
            operations.setdefault(topic, set()).update(("Write", "Describe"))
    elif set(DEAD_LETTERS) <= set(operations):
        # Without a database of its own it finds its dead letters in the topic.
        for topic in DEAD_LETTERS:
            operations[topic].add("Read")
    return {topic: sorted(operations[topic]) for topic in sorted(operations)}


def facts(name, described):
    groups = {row["group"] for row in described["consumes"]}
    own = {key["key"] for key in described["config"] if key["owner"] == "service"}
    key = connection_key(described)
    # Where the name has a default, --describe fills it in.
    defaults = {row["key"]: row["default"] for row in described["config"]}
    group = next(iter(groups), "")
    for spelt in (f"<{key}>", defaults.get(key) or f"<{key}>"):
        group = group.replace(f"{name}.{spelt}.", f"{name}.<connection>.")
    if len(groups) > 1 or (groups and "<connection>" not in group):
        raise generate.Wrong(f"{name}: one consumer group with the connection's name is expected, not {sorted(groups)}")
    return {
        "connectionKey": key,
        "consumes": sorted({row["topic"] for row in described["consumes"]}),
        "group": group,
        "keys": [one for one in ASKED if one in own],
        # Who knows its shops counts them.
        "shops": any(metric["name"] == "syncline_shops" for metric in described["metrics"]),
        "state": bool(described.get("state")),
        "topics": rights(described),
    }


def catalogue(described):
    listed = topics.load(ROOT / "proto/topics.yaml")
    made = {
        "topics": [{"name": topic["name"], "partitions": topic["partitions"], "settings": topics.settings(topic)} for topic in listed],
        "services": {name: facts(name, service) for name, service in described.items()},
    }
    head = "# Made by tools/docs/chart.py from proto/topics.yaml and --describe of the services; do not edit.\n"
    return head + yaml.safe_dump(made, sort_keys=False, width=140)


# ---- values.schema.json ----

DURATION = r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$"
SIZE = r"^[0-9]+(\.[0-9]+)?(KiB|MiB|GiB)?$"


def value_schema(key):
    if key["key"].endswith("_file"):
        return {"description": key["help"], "anyOf": [{"type": "string"}, {"$ref": "#/$defs/secretKey"}]}
    schema = {
        "string": {"type": "string"},
        "secret_file": {"type": "string"},
        "bool": {"type": "boolean"},
        "integer": {"type": "integer"},
        "duration": {"type": "string", "pattern": DURATION},
        "bytes": {"type": "string", "pattern": SIZE},
        "list": {"type": "array", "items": {"type": "string"}},
        "map": {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}},
    }[key["type"]].copy()
    schema["description"] = key["help"]
    if "choices" in key:
        schema["enum"] = key["choices"]
    if key["type"] == "integer":
        schema.update({word + "imum": int(key[short]) for word, short in (("min", "min"), ("max", "max")) if short in key})
    return schema


def config_schema(keys):
    """Nested as the file is; nothing but these keys."""
    tree = {"type": "object", "additionalProperties": False, "properties": {}}
    for key in keys:
        if key["key"] in MADE:
            continue
        at = tree
        *sections, last = key["key"].split(".")
        for section in sections:
            at = at["properties"].setdefault(section, {"type": "object", "additionalProperties": False, "properties": {}})
        at["properties"][last] = value_schema(key)
    return tree


def schema(described):
    frame = yaml.safe_load((ROOT / "tools/docs/chart_schema.yaml").read_text(encoding="utf-8"))
    kit = [key for key in next(iter(described.values()))["config"] if key["owner"] == "kit"]
    settings = frame["$defs"].pop("settings")
    service_only = frame["$defs"].pop("serviceOnly")
    connection_only = frame["$defs"].pop("connectionOnly")

    def settings_with(config, *more):
        properties = {**settings["properties"], "config": config}
        for one in more:
            properties.update(one)
        return {"type": "object", "additionalProperties": False, "properties": properties}

    frame["properties"]["defaults"] = settings_with(config_schema(kit))
    services = {}
    for name, service in described.items():
        frame["$defs"][f"config.{name}"] = config_schema(service["config"])
        reference = {"$ref": f"#/$defs/config.{name}"}
        more = [service_only["properties"]]
        if connection_key(service):
            entry = settings_with(reference, connection_only["properties"])
            entry["type"] = ["object", "null"]
            more.append({"connections": {"type": "object", "propertyNames": {"pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "maxLength": 63}, "additionalProperties": entry}})
        else:
            more.append({"port": {"type": "integer", "minimum": 1024, "maximum": 65535}})
        services[name] = settings_with(reference, *more)
    frame["properties"]["services"] = {"type": "object", "additionalProperties": False, "properties": services}
    digests = {name: {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"} for name in [*described, "synclinectl"]}
    frame["properties"]["image"]["properties"]["digests"] = {"type": "object", "additionalProperties": False, "properties": digests}
    return json.dumps(frame, indent=1) + "\n"


# ---- README.md ----


def values_rows():
    """(key, default, meaning) of each commented key of values.yaml."""
    lines = (CHART / "values.yaml").read_text(encoding="utf-8").splitlines()
    rows, comment, stack = [], [], []
    for number, line in enumerate(lines):
        text = line.strip()
        if not text:
            comment = []
        elif text.startswith("#"):
            comment.append(text[1:].strip())
        elif found := re.match(r"^( *)([A-Za-z][\w-]*):(?: (.*))?$", line):
            depth = len(found[1]) // 2
            stack[depth:] = [found[2]]
            default = found[3] or ""
            if not default and number + 1 < len(lines):
                # A value over several lines is told as it is, a section is not.
                body = []
                for below in lines[number + 1 :]:
                    if below.strip() and len(below) - len(below.lstrip()) <= len(found[1]) and not below.strip().startswith("#"):
                        break
                    body.append(below)
                if body and (body[0].strip().startswith("- ") or found[2] == "resources"):
                    default = json.dumps(yaml.safe_load("\n".join(body)))
            if comment:
                rows.append((".".join(stack), default, " ".join(comment)))
            comment = []
    return rows


def uncommented():
    """Values that no comment explains, neither their own nor that of the value they are part of."""
    explained = {row[0] for row in values_rows()}
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    missing = []

    def walk(node, path):
        if path and path in explained:
            if not isinstance(node, dict) or not any(name.startswith(path + ".") for name in explained):
                return
        if isinstance(node, dict) and node:
            for name, value in node.items():
                walk(value, f"{path}.{name}" if path else name)
        elif path not in explained:
            missing.append(path)

    walk(values, "")
    return [path for path in missing if not path.startswith("services.") or path.split(".")[2] not in values["defaults"]]


def readme():
    path = CHART / "README.md"
    rows = [[f"`{key}`", f"`{generate.cell(default)}`" if default else "", generate.cell(meaning)] for key, default, meaning in values_rows()]
    block = generate.table(["value", "default", "meaning"], rows)
    text = path.read_text(encoding="utf-8")
    return re.sub(r"(<!-- generated:values -->\n)(.*?)(<!-- /generated:values -->)", lambda found: found[1] + block + found[3], text, flags=re.DOTALL)


# ---- ----


def wanted(described):
    return {CHART / "files/catalogue.yaml": catalogue(described), CHART / "values.schema.json": schema(described), CHART / "README.md": readme()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verb = parser.add_mutually_exclusive_group(required=True)
    verb.add_argument("--write", action="store_true")
    verb.add_argument("--check", action="store_true")
    parser.add_argument("--bin", type=pathlib.Path, help="folder of the built services")
    arguments = parser.parse_args()
    try:
        made = wanted(generate.services(arguments.bin or generate.newest_bin()))
        findings = [f"helm/syncline/values.yaml: {path} has no comment" for path in uncommented()]
    except (generate.Wrong, topics.BadList) as wrong:
        print(f"chart.py: {wrong}", file=sys.stderr)
        return 77 if isinstance(wrong, generate.NotBuilt) else 2
    for finding in findings:
        print(finding)
    stale = generate.bring(made, write=arguments.write)
    if stale:
        print("run tools/docs/chart.py --write")
    return 1 if findings or stale else 0


if __name__ == "__main__":
    sys.exit(main())
