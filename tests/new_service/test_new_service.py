"""tools/dev new-service in a copy of this checkout: what it makes builds, passes its tests, and stands in chart, documentation, boards."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SYNCLINE_BUILD", ROOT / "build/dev")).resolve()
sys.path.insert(0, str(ROOT / "tools"))

from stack.paths import HELM_TOOLS, TOOLS  # noqa: E402
from stack.verbs.test import throw_away_postgres  # noqa: E402

NAME = "ticket-desk"


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def brought(tree: Path) -> Path:
    """The checkout as it is now. The folder stays, so that only what changed is compiled the next time."""
    names = set(tracked())
    for name in names:
        source, copy = ROOT / name, tree / name
        if not copy.exists() or copy.read_bytes() != source.read_bytes():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)
    for path in [path for path in tree.rglob("*") if path.is_file() or path.is_symlink()]:
        name = path.relative_to(tree)
        if name.parts[0] not in ("build", ".dev", ".git") and str(name) not in names:
            path.unlink()
    shutil.rmtree(tree / "services" / NAME, ignore_errors=True)
    if not (tree / ".git").exists():
        subprocess.run(["git", "init", "-q"], cwd=tree, check=True)
    (tree / ".dev").mkdir(exist_ok=True)
    if not (tree / ".dev/tools").exists():
        (tree / ".dev/tools").symlink_to(TOOLS.resolve())
    return tree


def verb(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What tools/dev runs once the packages are there."""
    command = ["/usr/bin/python3", "-m", "stack.verbs", "new-service", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(tree / "tools"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=1500)


@pytest.fixture(scope="module")
def tree() -> Path:
    return brought(BUILD / "new-service/tree")


@pytest.mark.parametrize(
    "name, says",
    [
        ("Helpdesk", "try 'helpdesk'"),
        ("helpdeskSync", "try 'helpdesk-sync'"),
        ("helpdesk_sync", "try 'helpdesk-sync'"),
        ("-x", "the following arguments are required|unrecognized arguments|no name of a service"),
        ("4tickets", "no name of a service"),
        ("a--b", "try 'a-b'"),
        ("../evil", "try 'evil'"),
        ("a" * 41, "at most 40"),
        ("order-export", "is there already"),
        ("kit", "means something else"),
        ("odoo", "means something else"),
        ("", "say how the service is called"),
    ],
)
def test_a_name_that_is_none_is_refused_with_its_cure(tree: Path, name: str, says: str) -> None:
    before = sorted(path.name for path in (tree / "services").iterdir())
    done = verb(tree, name)
    assert done.returncode != 0
    assert any(part in done.stderr for part in says.split("|")), done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in (tree / "services").iterdir()) == before


def test_help_says_what_it_does(tree: Path) -> None:
    done = verb(tree, "--help")
    assert done.returncode == 0 and "tools/new-service/templates" in done.stdout and "--no-build" in done.stdout


@pytest.fixture(scope="module")
def made(tree: Path) -> Iterator[Path]:
    """The service, built; the binaries of the others are those of this build."""
    done = verb(tree, NAME, "--no-build")
    assert done.returncode == 0, done.stderr
    assert "tools/dev test unit" in done.stdout, "the next steps are told"
    build = tree / "build/dev"
    subprocess.run(["cmake", "--preset", "dev"], cwd=tree, check=True, capture_output=True, timeout=300)
    targets = [NAME, f"{NAME.replace('-', '_')}_tests"]
    compiled = subprocess.run(["cmake", "--build", str(build), "-j", "2", "--target", *targets], capture_output=True, text=True, timeout=1500)
    assert compiled.returncode == 0, compiled.stdout[-6000:]
    for binary in (BUILD / "bin").iterdir():
        if binary.is_file() and not binary.name.endswith("_tests") and binary.name != NAME:
            (build / "bin" / binary.name).unlink(missing_ok=True)
            shutil.copy(binary, build / "bin" / binary.name)
    call = f"from pathlib import Path; from stack.verbs.new_service import generate; generate(Path({str(tree)!r}), Path({str(build / 'bin')!r}))"
    generated = subprocess.run(["/usr/bin/python3", "-c", call], cwd=tree, env={**os.environ, "PYTHONPATH": str(tree / "tools")}, capture_output=True, text=True)
    assert generated.returncode == 0, generated.stderr
    yield tree


def test_its_tests_pass(made: Path) -> None:
    with throw_away_postgres() as url:
        binary = made / "build/dev/bin" / f"{NAME.replace('-', '_')}_tests"
        done = subprocess.run([str(binary)], env={**os.environ, "SYNCLINE_TEST_POSTGRES_URL": url}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "All tests passed" in done.stdout, "none was skipped"


def test_it_is_made_once(made: Path) -> None:
    done = verb(made, NAME, "--no-build")
    assert done.returncode != 0 and "is there already" in done.stderr


def test_the_chart_installs_it(made: Path) -> None:
    if not (HELM_TOOLS / "bin/helm").exists():
        pytest.skip("helm is not there: run tools/setup/fetch.sh helm")
    chart = made / "helm/syncline"
    minor = max(path.name.removeprefix("v") for path in (HELM_TOOLS / "schemas").glob("v*"))
    command = [str(HELM_TOOLS / "bin/helm"), "template", "syncline", str(chart), "--namespace", "shop", "--kube-version", minor, "--values", str(chart / "ci/everything-values.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found = {(each["kind"], each["metadata"]["name"]): each for each in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if each}
    assert found[("Deployment", f"sync-{NAME}-main")]["spec"]["template"]["spec"]["containers"][0]["image"].split(":")[-2].endswith(f"/{NAME}")
    for kind in ("Service", "ConfigMap", "NetworkPolicy", "KafkaUser"):
        assert any(each == kind and name.startswith(f"sync-{NAME}-main") for each, name in found), kind
    refused = subprocess.run([*command, "--set", f"services.{NAME}.connections.main.config.nmae=x"], capture_output=True, text=True, timeout=60)
    assert refused.returncode != 0 and "nmae" in refused.stderr


def test_catalogue_documentation_alerts_and_boards_know_it(made: Path) -> None:
    identifier = NAME.replace("-", "_")
    catalogue = yaml.safe_load((made / "helm/syncline/files/catalogue.yaml").read_text())
    assert catalogue["services"][NAME]["group"] == f"{NAME}.<connection>.v1"
    assert "Read" in catalogue["services"][NAME]["topics"]["exports.v1"]
    for page in ("docs/configuration.md", "docs/metrics.md", "README.md", "helm/syncline/README.md"):
        assert NAME in (made / page).read_text(), page
    assert f"`syncline_{identifier}_orders_total`" in (made / f"services/{NAME}/README.md").read_text()
    board = json.loads((made / "helm/syncline/files/dashboards/syncline-services.json").read_text())
    drawn = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    assert any(f"syncline_{identifier}_orders_total" in expression for expression in drawn)
    # Alerts speak of services by label: no rule names those it is about, so that a new one is among them.
    rules = yaml.safe_load((made / "helm/syncline/files/rules/syncline.yaml").read_text())
    kit = {"syncline_dead_letters_total", "syncline_outbox_oldest_timestamp_seconds", "syncline_oldest_held_timestamp_seconds", "syncline_circuit_open"}
    text = json.dumps(rules)
    metrics = (made / "docs/metrics.md").read_text().split(f"## {NAME}\n")[1]
    assert all(name in text and name in metrics for name in kit)


@pytest.mark.parametrize("suite", ["tests/observability/test_names.py", "tests/observability/test_dashboards.py", "tests/chart/test_contract.py", "tests/chart/test_configuration.py"])
def test_what_holds_names_together_holds_with_it(made: Path, suite: str) -> None:
    """Names, boards, alerts, the chart's contract: the tests of the copy, with the new service in it."""
    environment = {**os.environ, "PYTHONPATH": f"{made / 'tools'}:{made}", "SYNCLINE_BUILD": str(made / "build/dev"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = ["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not stack", suite]
    done = subprocess.run(command, cwd=made, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout[-6000:]
