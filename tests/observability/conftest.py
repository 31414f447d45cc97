"""Rules, dashboards, runbooks. The quick tests read files and call promtool; those of the marker `stack` start the local stack."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parent / "flows", HERE.parent / "stock", HERE.parents[1] / "tools", HERE.parents[1] / "tools/dashboards"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

pytest.register_assert_rewrite("support")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "stack: starts a local stack and waits for alerts; minutes (label chaos)")
