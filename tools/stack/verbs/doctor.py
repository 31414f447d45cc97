"""tools/dev doctor: can this machine build and run Syncline?"""

from __future__ import annotations

import argparse
import shutil
import subprocess

from ..paths import HELM_TOOLS, KAFKA_JARS, NPM, PROMETHEUS, postgres_bin


def version(command: list[str]) -> str:
    if shutil.which(command[0]) is None:
        return ""
    done = subprocess.run(command, capture_output=True, text=True)
    return (done.stdout or done.stderr).splitlines()[0].strip() if done.stdout or done.stderr else ""


def execute(_: argparse.Namespace) -> int:
    rows = [(" ".join(command), version(command)) for command in (
        ["g++", "--version"], ["cmake", "--version"], ["ninja", "--version"], ["ccache", "--version"], ["mold", "--version"],
        ["clang-tidy-19", "--version"], ["protoc", "--version"], ["java", "-version"], ["node", "--version"], ["kcat", "-V"], ["shellcheck", "--version"],
    )]
    rows.append(("PostgreSQL server", str(postgres_bin())))
    rows.append(("Kafka's jars", f"{len(list(KAFKA_JARS.glob('*.jar')))} jars" if KAFKA_JARS.exists() else ""))
    rows.append(("Prometheus", "unpacked" if (PROMETHEUS / "prometheus").exists() else ""))
    rows.append(("buf", "installed" if (NPM / "node_modules/.bin/buf").exists() else ""))
    rows.append(("helm, kubeconform", "built" if (HELM_TOOLS / ".stamp").exists() else ""))
    missing = 0
    for name, found in rows:
        missing += not found
        print(f"{'ok     ' if found else 'MISSING'}  {name:24} {found}")
    if missing:
        print("\nrun: tools/dev setup")
    return 1 if missing else 0


def register(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser("doctor", help="check the tools of this machine")
    parser.set_defaults(execute=execute)
