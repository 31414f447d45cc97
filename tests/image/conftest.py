"""Images as `tools/dev image` built them; SYNCLINE_IMAGES names which, SYNCLINE_IMAGE_ENGINE by what."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parent / "chart", HERE.parents[1] / "tools"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from pod_files import certificate  # noqa: E402
from stack import images  # noqa: E402
from stack.process import StackError  # noqa: E402

SERVICES = [name for name in os.environ.get("SYNCLINE_IMAGES", "").split(",") if name] or images.services()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "service" in metafunc.fixturenames:
        metafunc.parametrize("service", SERVICES)


@pytest.fixture(scope="session")
def engine() -> images.Engine:
    try:
        return images.engine(os.environ.get("SYNCLINE_IMAGE_ENGINE", ""))
    except StackError as error:
        pytest.skip(str(error))


@pytest.fixture
def image(engine: images.Engine, service: str) -> str:
    name = images.name_of(service)
    if not engine.has(name):
        pytest.skip(f"{name} is not built: run tools/dev image {service}")
    return name


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    return certificate(tmp_path_factory.mktemp("pem"))
