#!/usr/bin/python3
"""What follows from proto/topics.yaml, the one list of topics.

  topics.py --header FILE        the C++ constants, <syncline/topics.h>
  topics.py --catalogue FILE     docs/event-catalogue.md
  topics.py --check-catalogue F  exit 1 if that page is not what --catalogue would write
  topics.py --json               everything, for tools in other languages
  topics.py --kafka-properties   one topic a line: name, partitions, settings (tab separated), for creating topics

--prefix P (default syncline) gives full names in --json and --kafka-properties. --topics and --protos say where the
list and the .proto files are; the defaults are those of the repository. A list that does not hold together is exit 2.
"""
import argparse
import json
import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
FAMILIES = ("snapshot", "fact")
DAY_MS = 24 * 3600 * 1000


class BadList(Exception):
    pass


def known(where, given, allowed):
    for name in given:
        if name not in allowed:
            raise BadList(f"{where}: unknown member '{name}'; allowed: {', '.join(sorted(allowed))}")


def load(path):
    """The topics with defaults filled in; raises BadList naming what is wrong."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    known("topics.yaml", document, {"defaults", "topics"})
    defaults = document["defaults"]
    settings = {"partitions", "retention_days", "cleanup", "max_message_bytes"}
    known("defaults", defaults, settings)
    topics, names, collisions, types_seen = [], set(), set(), {}
    for entry in document["topics"]:
        name = entry.get("name", "")
        known(f"topic {name}", entry, settings | {"name", "summary", "key", "types", "any_type"})
        if not re.fullmatch(r"[a-z][a-z0-9-]*\.v[1-9][0-9]*", name):
            raise BadList(f"topic '{name}': a name is <domain>.v<number>, lower case, digits and hyphens")
        # Kafka's metric names turn '.' into '_': two topics must not become one there.
        flat = name.replace(".", "_").replace("-", "_")
        if name in names or flat in collisions:
            raise BadList(f"topic '{name}': listed twice, or the same as another one with '.' and '-' as '_'")
        names.add(name)
        collisions.add(flat)
        topic = {**defaults, "any_type": False, **entry}
        for member in ("summary", "key", "types"):
            if not topic.get(member):
                raise BadList(f"topic '{name}': {member} is missing")
        if topic["cleanup"] not in ("delete", "compact"):
            raise BadList(f"topic '{name}': cleanup is delete or compact")
        if topic["cleanup"] == "compact" and (len(topic["types"]) > 1 or topic["any_type"]):
            raise BadList(f"topic '{name}': a topic with several types is never compacted")
        for event in topic["types"]:
            known(f"topic {name}", event, {"type", "family"})
            if event["family"] not in FAMILIES:
                raise BadList(f"topic '{name}': family of {event['type']} is one of {', '.join(FAMILIES)}")
            if event["type"] in types_seen:
                raise BadList(f"type {event['type']} stands in {types_seen[event['type']]} and {name}")
            types_seen[event["type"]] = name
        topics.append(topic)
    return topics


# ---- .proto files, as far as a reader of the catalogue needs them: messages, enums, their members and comments ----

def read_protos(folder):
    """{full name: {kind, comment, file, members: [(number, name, type, comment)]}} of every message and enum."""
    types = {}
    for path in sorted(folder.rglob("*.proto")):
        package, comment, stack = "", [], []
        for raw in path.read_text(encoding="utf-8").splitlines():
            line = raw.strip()
            if line.startswith("//"):
                comment.append(line[2:].strip())
                continue
            if match := re.match(r"package ([\w.]+);", line):
                package = match[1]
            elif match := re.match(r"(message|enum|oneof) (\w+) \{", line):
                outer = [name for kind, name in stack if kind != "oneof"]
                if match[1] != "oneof":
                    full = ".".join([package, *outer, match[2]])
                    types[full] = {"kind": match[1], "comment": " ".join(comment), "members": [],
                                   "file": path.relative_to(folder).as_posix()}
                stack.append((match[1], match[2]))
            elif line.startswith("}") and stack:
                stack.pop()
            elif stack and (match := re.match(r"(?:(repeated|optional) )?([\w.]+) (\w+) = (\d+)", line)):
                full = ".".join([package, *[name for kind, name in stack if kind != "oneof"]])
                kind = f"{match[1]} {match[2]}" if match[1] else match[2]
                types[full]["members"].append((int(match[4]), match[3], kind, " ".join(comment)))
            elif stack and (match := re.match(r"(\w+) = (\d+);", line)):
                full = ".".join([package, *[name for kind, name in stack]])
                types[full]["members"].append((int(match[2]), match[1], "", " ".join(comment)))
            comment = []
    return types


def check_types(topics, types):
    for topic in topics:
        for event in topic["types"]:
            if types.get(event["type"], {}).get("kind") != "message":
                raise BadList(f"topic '{topic['name']}': no .proto file defines message {event['type']}")


# ---- outputs ----

def constant(topic):
    return re.sub(r"\.v1$", "", topic["name"]).replace(".", "_").replace("-", "_")


def cpp_text(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def header(topics):
    constants, lists, specs, tests = [], [], [], []
    for topic in topics:
        name = constant(topic)
        constants.append(f"// {topic['summary']} Key: {topic['key']}.\ninline constexpr const char* {name} = {cpp_text(topic['name'])};")
        events = "".join(f"\n    TypeSpec{{{cpp_text(e['type'])}, Family::{e['family']}}}," for e in topic["types"])
        lists.append(f"inline constexpr std::array {name}_types{{{events}\n}};")
        cleanup = "Cleanup::compact" if topic["cleanup"] == "compact" else "Cleanup::drop_old"
        specs.append(f"    TopicSpec{{{name}, {cpp_text(topic['key'])}, {topic['partitions']}, std::chrono::days{{{topic['retention_days']}}}, "
                     f"{cleanup},\n              {topic['max_message_bytes']}, detail::{name}_types, {str(topic['any_type']).lower()}}},")
    newline = "\n"
    return f"""// Made from proto/topics.yaml by tools/docs/topics.py; do not edit.
// The topics of Syncline, their settings, and the types each may carry. Names are without the prefix of the installation.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>

namespace syncline::topics {{

{newline.join(constants)}

// How events of a type relate: a snapshot replaces older ones of its key, a fact stands for itself.
enum class Family : std::uint8_t {{ snapshot, fact }};

// What the broker does with old records. drop_old is Kafka's cleanup.policy "delete".
enum class Cleanup : std::uint8_t {{ drop_old, compact }};

struct TypeSpec {{
    std::string_view name;  // Full Protobuf name: the ce_type.
    Family family;
}};

struct TopicSpec {{
    std::string_view name;  // Without prefix.
    std::string_view key;   // Pattern of the record key, for people.
    int partitions;
    std::chrono::days retention;
    Cleanup cleanup;
    std::int32_t max_message_bytes;
    std::span<const TypeSpec> types;
    bool any_type;  // Carries records of other topics too (dead letters).

    // The value of Kafka's cleanup.policy.
    [[nodiscard]] constexpr std::string_view cleanup_policy() const {{ return cleanup == Cleanup::compact ? "compact" : "delete"; }}
    // Whether an event of this full Protobuf name belongs here.
    [[nodiscard]] constexpr bool may_carry(std::string_view type) const {{
        if (any_type) {{
            return true;
        }}
        for (const auto& spec : types) {{
            if (spec.name == type) {{
                return true;
            }}
        }}
        return false;
    }}
}};

namespace detail {{
{newline.join(lists)}
}}  // namespace detail

// Every topic, in the order of the list.
inline constexpr std::array all{{
{newline.join(specs)}
}};

// The topic with that name (without prefix); nullptr if there is none.
[[nodiscard]] constexpr const TopicSpec* find(std::string_view name) {{
    for (const auto& spec : all) {{
        if (spec.name == name) {{
            return &spec;
        }}
    }}
    return nullptr;
}}

}}  // namespace syncline::topics
"""


def plural(number, word):
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def mebibytes(count):
    return f"{count / 1048576:g} MiB"


def cell(text):
    return text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")


def member_table(definition, types, package):
    lines = ["| # | member | type | meaning |", "|---|---|---|---|"]
    for number, name, kind, comment in definition["members"]:
        bare = kind.split(" ")[-1]
        full = bare if bare in types else f"{package}.{bare}"
        shown = kind.replace("google.protobuf.", "")
        if full in types:
            label = shown.replace(bare, full.rsplit(".", 1)[1])
            shown = f"[{label}](#{anchor(full)})"
        lines.append(f"| {number} | `{name}` | {shown or 'value'} | {cell(comment)} |")
    return lines


def anchor(full):
    return full.replace(".", "").lower()


def referenced(name, types, seen):
    """Every type reachable from `name`, in the order a reader meets them."""
    package = name.rsplit(".", 1)[0]
    for _, _, kind, _ in types[name]["members"]:
        bare = kind.split(" ")[-1]
        full = bare if bare in types else f"{package}.{bare}"
        if full in types and full not in seen:
            seen.append(full)
            referenced(full, types, seen)


def catalogue(topics, types):
    out = ["# Event catalogue", "",
           "<!-- Made from proto/topics.yaml and proto/**/*.proto by tools/docs/topics.py; do not edit. -->", "",
           "Names of topics are shown without the prefix of the installation (`syncline` by default: `syncline.orders.v1`).",
           "A record is a CloudEvent 1.0 in Kafka binary mode: the value is the Protobuf message alone (no schema registry",
           "framing), `content-type: application/protobuf`, and the headers `ce_id` (the same for every repetition), `ce_type`",
           "(full message name), `ce_source`, `ce_subject`, `ce_specversion`, `ce_time`, `ce_correlationid`, `traceparent` and",
           "`syncline-received-at`. Partitions are chosen by Kafka's murmur2 of the key (`murmur2_random` in librdkafka), so",
           "producers in other languages agree. A *snapshot* replaces older ones of its key by version; a *fact* stands for itself.",
           "", "| topic | carries | key | partitions | kept | largest record |", "|---|---|---|---|---|---|"]
    for topic in topics:
        names = ", ".join(e["type"].rsplit(".", 1)[1] for e in topic["types"]) + (", records of any topic" if topic["any_type"] else "")
        out.append(f"| [`{topic['name']}`](#{topic['name'].replace('.', '')}) | {names} | `{topic['key']}` | {topic['partitions']} | "
                   f"{plural(topic['retention_days'], 'day')} | {mebibytes(topic['max_message_bytes'])} |")
    events = []
    for topic in topics:
        out += ["", f"## {topic['name']}", "", topic["summary"], ""]
        if topic["any_type"]:
            out += ["Besides the types below it carries records of other topics as they were: key, value and headers are the",
                    "original's, the diagnosis stands in further headers.", ""]
        for event in topic["types"]:
            name = event["type"]
            events.append(name)
            definition = types[name]
            meaning = re.sub(r"^(Fact|Snapshot): ", "", definition["comment"])
            out += [f"### {name}", "", f"*{event['family'].capitalize()}.* {meaning[0].upper()}{meaning[1:]}",
                    f"Defined in `proto/{definition['file']}`.", "", *member_table(definition, types, name.rsplit(".", 1)[0]), ""]
        out.pop()
    parts = []
    for name in events:
        referenced(name, types, parts)
    out += ["", "## Parts of events", ""]
    for name in sorted(part for part in parts if part not in events):
        out += [f"### {name}", "", types[name]["comment"], "", *member_table(types[name], types, name.rsplit(".", 1)[0]), ""]
    return "\n".join(out).rstrip() + "\n"


def settings(topic):
    return {"cleanup.policy": topic["cleanup"], "retention.ms": str(topic["retention_days"] * DAY_MS),
            "max.message.bytes": str(topic["max_message_bytes"])}


def as_json(topics, prefix):
    return json.dumps([{"name": topic["name"], "full_name": f"{prefix}.{topic['name']}", "summary": topic["summary"], "key": topic["key"],
                        "partitions": topic["partitions"], "any_type": topic["any_type"], "types": topic["types"],
                        "settings": settings(topic)} for topic in topics], indent=2) + "\n"


def kafka_properties(topics, prefix):
    return "".join(f"{prefix}.{t['name']}\t{t['partitions']}\t" + ",".join(f"{k}={v}" for k, v in settings(t).items()) + "\n" for t in topics)


def write(path, text):
    """Only when it differs: a rebuild must not follow from an unchanged list."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--topics", type=pathlib.Path, default=ROOT / "proto/topics.yaml")
    parser.add_argument("--protos", type=pathlib.Path, default=ROOT / "proto")
    parser.add_argument("--prefix", default="syncline")
    parser.add_argument("--header", metavar="FILE")
    parser.add_argument("--catalogue", metavar="FILE")
    parser.add_argument("--check-catalogue", metavar="FILE", type=pathlib.Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--kafka-properties", action="store_true")
    args = parser.parse_args()
    try:
        topics = load(args.topics)
        types = read_protos(args.protos)
        check_types(topics, types)
    except (BadList, KeyError, yaml.YAMLError) as error:
        print(f"topics.py: {args.topics.name}: {error}", file=sys.stderr)
        return 2
    if args.header:
        write(args.header, header(topics))
    if args.catalogue:
        write(args.catalogue, catalogue(topics, types))
    if args.json:
        sys.stdout.write(as_json(topics, args.prefix))
    if args.kafka_properties:
        sys.stdout.write(kafka_properties(topics, args.prefix))
    if args.check_catalogue:
        there = args.check_catalogue.read_text(encoding="utf-8") if args.check_catalogue.exists() else ""
        if there != catalogue(topics, types):
            print(f"{args.check_catalogue} is not what the contract says: run tools/docs/topics.py --catalogue {args.check_catalogue}",
                  file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
