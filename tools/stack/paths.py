"""Where things are: the checkout, its tools folder and the servers that the set-up fetched."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEV = ROOT / ".dev"
TOOLS = DEV / "tools"
KAFKA_JARS = TOOLS / "kafka"
PROMETHEUS = TOOLS / "prometheus" / "usr" / "bin"
NPM = TOOLS / "npm"


def postgres_bin() -> Path:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not versions:
        raise FileNotFoundError("no PostgreSQL server under /usr/lib/postgresql: run tools/setup/system.sh")
    return versions[-1].parent
