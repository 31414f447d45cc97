#!/usr/bin/python3
"""Schemas as kubeconform reads them from a folder, without the network.

  kubernetes_schemas.py WHEEL CRDS OUT

WHEEL is that of PyPI's kubernetes-validate, which carries the strict schemas of each Kubernetes minor; the three newest go to
OUT/v<minor>/. Their absolute $id would send kubeconform to the network; and reading the megabytes of all definitions for each kind would take it
half a minute: each file is made to hold what its kind refers to, and no descriptions.
CRDS is a folder of CustomResourceDefinitions; each served version goes to OUT/crds/<kind>-<group>-<version>.json, and every
object whose members are known refuses others.
"""

import json
import pathlib
import re
import sys
import zipfile

import yaml

MINORS = 3


DROPPED = ("$id", "description")


def local(node):
    """Without what nobody needs, and with references inside the file."""
    if isinstance(node, dict):
        kept = {name: value for name, value in node.items() if not (name in DROPPED and isinstance(value, str))}
        return {name: "#" + value.rsplit("#", 1)[-1] if name == "$ref" and isinstance(value, str) else local(value) for name, value in kept.items()}
    if isinstance(node, list):
        return [local(value) for value in node]
    return node


def referred(node):
    """Names of the definitions that a schema refers to."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].rsplit("/", 1)[-1]
        for value in node.values():
            yield from referred(value)
    elif isinstance(node, list):
        for value in node:
            yield from referred(value)


def whole(schema, definitions):
    """The schema with the definitions it needs, however far away."""
    needed = {}
    waiting = list(referred(schema))
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed[name] = definitions[name]
            waiting += referred(definitions[name])
    return {**schema, "$defs": needed}


def kubernetes(wheel, out):
    with zipfile.ZipFile(wheel) as archive:
        folders = {}
        for name in archive.namelist():
            if found := re.search(r"/v1\.(\d+)\.\d+-local-strict/([^/]+\.json)$", name):
                folders.setdefault(int(found[1]), []).append((found[2], name))
        for minor in sorted(folders)[-MINORS:]:
            folder = out / f"v1.{minor}"
            folder.mkdir(parents=True, exist_ok=True)
            read = {short: local(json.loads(archive.read(name))) for short, name in folders[minor]}
            definitions = read["_definitions.json"]["$defs"]
            for short, schema in read.items():
                if schema.get("x-kubernetes-group-version-kind"):
                    (folder / short).write_text(json.dumps(whole(schema, definitions)), encoding="utf-8")


def closed(node):
    """As the API server's strict field validation sees it: what is not declared is refused."""
    if isinstance(node, list):
        return [closed(value) for value in node]
    if not isinstance(node, dict):
        return node
    # Alternatives name only what they are about; the members stand beside them.
    made = {name: value if name in ("allOf", "anyOf", "oneOf", "not") else closed(value) for name, value in node.items()}
    if isinstance(made.get("properties"), dict) and not made.get("x-kubernetes-preserve-unknown-fields") and "additionalProperties" not in made:
        made["additionalProperties"] = False
    return made


def custom_resources(crds, out):
    folder = out / "crds"
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(crds.glob("*.yaml")):
        for crd in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            if not crd or crd["kind"] != "CustomResourceDefinition":
                continue
            spec = crd["spec"]
            for version in spec["versions"]:
                if not version.get("served"):
                    continue
                schema = version["schema"]["openAPIV3Schema"]
                schema["properties"].update({"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}})
                name = f"{spec['names']['kind'].lower()}-{spec['group'].split('.')[0]}-{version['name']}.json"
                (folder / name).write_text(json.dumps(closed(schema)), encoding="utf-8")


def main():
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    wheel, crds, out = map(pathlib.Path, sys.argv[1:])
    kubernetes(wheel, out)
    custom_resources(crds, out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
