from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from chart import HELM, TOOLS
from database import Database
from pod_files import certificate


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
