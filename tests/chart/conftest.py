from __future__ import annotations

import sys
from pathlib import Path

import pytest
from chart import HELM, TOOLS

HERE = Path(__file__).resolve().parent
for folder in (HERE.parent / "flows", HERE.parents[1] / "tools"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = [] if HELM.exists() and (TOOLS / ".stamp").exists() else ["tools/setup/fetch.sh helm"]
    for item in items:
        if missing:
            item.add_marker(pytest.mark.skip(reason=f"helm is not there: run {missing[0]}"))
