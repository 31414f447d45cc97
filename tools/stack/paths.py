"""Where things are: the checkout, its tools folder and the servers that the set-up fetched."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEV = ROOT / ".dev"
TOOLS = DEV / "tools"
KAFKA_JARS = TOOLS / "kafka"
PROMETHEUS = TOOLS / "prometheus" / "usr" / "bin"
NPM = TOOLS / "npm"
HELM_TOOLS = TOOLS / "helm"


def data_folder() -> Path:
    """Where stacks keep their data: .dev, or, when root's checkout lies where no other user gets to (its home, say), a folder of this
    checkout among the temporary files: PostgreSQL never runs as root and has to reach it."""
    folder = DEV
    if os.getuid() == 0 and not all(parent.stat().st_mode & 0o001 for parent in [ROOT, *ROOT.parents]):
        folder = Path(tempfile.gettempdir()) / f"syncline-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]}"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    return folder


def postgres_bin() -> Path:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not versions:
        raise FileNotFoundError("no PostgreSQL server under /usr/lib/postgresql: run tools/setup/system.sh")
    return versions[-1].parent
