from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from chart import HELM, TOOLS
from database import Database
from pod_files import certificate

HERE = Path(__file__).resolve().parent
for folder in (HERE.parent / "flows", HERE.parents[1] / "tools"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = [] if HELM.exists() and (TOOLS / ".stamp").exists() else ["tools/setup/fetch.sh helm"]
    for item in items:
        if missing:
            item.add_marker(pytest.mark.skip(reason=f"helm is not there: run {missing[0]}"))


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    return certificate(tmp_path_factory.mktemp("pem"))


@pytest.fixture
def database() -> Iterator[Database]:
    server = os.environ.get("SYNCLINE_TEST_POSTGRES_URL")
    if not server:
        pytest.skip("SYNCLINE_TEST_POSTGRES_URL is not set: run tools/dev test chart")
    with Database(server, f"chart_{os.getpid()}") as made:
        yield made
