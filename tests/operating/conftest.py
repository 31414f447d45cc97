"""The pages of docs/operating, held against what really happens: their commands are taken from the page itself and executed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parent / "flows", HERE.parent / "stock", HERE.parents[1] / "tools"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

pytest.register_assert_rewrite("support", "day")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "stack: starts a local stack, minutes (label chaos)")
    config.addinivalue_line("markers", "flow: starts a local stack (label flow)")
