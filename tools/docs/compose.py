#!/usr/bin/python3
"""The configuration files of deploy/compose, as the chart makes them of deploy/compose/values.yaml, and the list of its topics.

  compose.py --write [--helm PROGRAM]    writes deploy/compose/config and deploy/compose/topics
  compose.py --check [--helm PROGRAM]    exit 1 and the names of the files that are not what it would write
"""

import argparse
import pathlib
import subprocess
import sys

import topics
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy/compose"
NAMESPACE = "compose"
CREATE = """\
#!/usr/bin/env bash
# Made by tools/docs/compose.py from proto/topics.yaml; do not edit. create.sh BROKERS
set -euo pipefail
create() { # name partitions settings…
  local name=$1 partitions=$2 settings=()
  for setting in "${@:3}"; do settings+=(--config "$setting"); done
  /opt/kafka/bin/kafka-topics.sh --bootstrap-server "$brokers" --create --if-not-exists --topic "$name" --partitions "$partitions" \\
    --replication-factor 1 "${settings[@]}"
}
brokers=$1
"""


def rendered(helm):
    command = [str(helm), "template", "syncline", str(ROOT / "helm/syncline"), "--namespace", NAMESPACE, "--kube-version", "1.34"]
    done = subprocess.run([*command, "--values", str(FOLDER / "values.yaml")], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"compose.py: {done.stderr.strip()}")
    return [found for found in yaml.safe_load_all(done.stdout) if found]


def files(helm):
    """{path below deploy/compose: content}."""
    made = {}
    for found in rendered(helm):
        if found["kind"] == "ConfigMap":
            # syncline-shops → shops, as in the pods' /etc/syncline; a deployment's own keeps its name.
            name = found["metadata"]["name"]
            folder = name.removesuffix("-config") if name.endswith("-config") else name.removeprefix("syncline-")
            for key, content in found["data"].items():
                made[f"config/{folder}/{key}"] = content.replace(f".{NAMESPACE}.svc", "")
    listed = topics.load(ROOT / "proto/topics.yaml")
    lines = [f"create syncline.{topic['name']} {topic['partitions']} " + " ".join(f"{k}={v}" for k, v in topics.settings(topic).items()) for topic in listed]
    made["topics/create.sh"] = CREATE + "\n".join(lines) + "\n"
    return {path: content if content.endswith("\n") else content + "\n" for path, content in made.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--write", action="store_true")
    mode.add_argument("--check", action="store_true")
    parser.add_argument("--helm", type=pathlib.Path, default=ROOT / ".dev/tools/helm/bin/helm")
    arguments = parser.parse_args()
    wanted = files(arguments.helm)
    there = {path.relative_to(FOLDER).as_posix(): path for folder in ("config", "topics") for path in FOLDER.glob(f"{folder}/**/*") if path.is_file()}
    wrong = sorted(path for path in wanted.keys() | there.keys() if path not in there or there[path].read_text() != wanted.get(path))
    if arguments.check:
        for path in wrong:
            print(f"deploy/compose/{path} is not what the chart makes of values.yaml: run tools/docs/compose.py --write", file=sys.stderr)
        return 1 if wrong else 0
    for path in wrong:
        if path in wanted:
            topics.write(FOLDER / path, wanted[path])
        else:
            there[path].unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
