"""The pages by themselves: commands that exist, variables that are explained, links that lead somewhere."""

from __future__ import annotations

import re
import subprocess

import pytest
import yaml
from page import FOLDER, PAGES, Page
from stack.paths import ROOT

EVERY = sorted(path.stem for path in FOLDER.glob("*.md"))
BINARY = ROOT / "build/dev/bin/synclinectl"


@pytest.mark.parametrize("name", PAGES)
def test_commands_are_shell(name: str) -> None:
    page = Page(name)
    commands = page.fences("sh") + page.fences("console")
    assert page.fences("sh"), "nothing of the page is executed by a test"
    for fence in commands:
        checked = subprocess.run(["bash", "-n"], input=fence, text=True, capture_output=True, check=False)
        assert checked.returncode == 0, f"{fence}{checked.stderr}"
    assert not re.search(r"\bkubectl|\bhelm ", "".join(page.fences("sh"))), "what needs a cluster is marked `console`"
    assert re.findall(r"^ *```(\w*)$", page.text, re.MULTILINE).count("") == len(re.findall(r"^ *```\w+$", page.text, re.MULTILINE)), "a fence without a language"


@pytest.mark.parametrize("name", PAGES)
def test_variables_are_explained(name: str) -> None:
    page = Page(name)
    explained = set(re.findall(r"`([A-Z_]+)`", page.text + Page("backup-and-restore").text))
    for fence in page.fences("sh"):
        assert set(re.findall(r"\$\{?([A-Z_]+)", fence)) - {"IFS"} <= explained, fence


@pytest.mark.parametrize("name", EVERY)
def test_links_lead_somewhere(name: str) -> None:
    page = Page(name)
    for target in re.findall(r"\]\(([^)#]+)", page.text):
        assert target.startswith("http") or (page.path.parent / target).exists(), target
    for target in re.findall(r"`((?:docs|deploy|helm|tools|tests)/[\w./-]+\.\w+)", page.text):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("name", EVERY)
def test_another_page_leads_to_it(name: str) -> None:
    pages = [path for path in [ROOT / "README.md", *(FOLDER / f"{other}.md" for other in EVERY if other != name)] if f"{name}.md" in path.read_text()]
    assert pages, "nobody finds it"


def test_groups_of_the_back_up_are_those_of_the_services() -> None:
    """A service that gets state of its own has to be in the page's pattern and lists."""
    stateful = {path.parent.name for path in ROOT.glob("services/*/service.yaml") if yaml.safe_load(path.read_text()).get("state")}
    page = Page("backup-and-restore")
    [pattern] = re.findall(r"\^\(([a-z|-]+)\)\\\.", page.fences("sh", "Back up")[0])
    assert set(pattern.split("|")) == stateful
    schemas = {name.replace("-", "_") for name in stateful}
    assert schemas <= set(re.findall(r"`([a-z_]+)`", page.part("What there is")))
    [loop] = re.findall(r"for schema in ([a-z_ ]+); do", Page("disaster").text)
    assert set(loop.split()) == schemas


@pytest.mark.parametrize("name", EVERY)
def test_metrics_and_alerts_exist(name: str) -> None:
    text = Page(name).text
    metrics = set(re.findall(r"^\| `(\w+)`", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE))
    assert set(re.findall(r"`(syncline_[a-z_]+)(?:\{[^`]*\})?`", text)) <= metrics
    alerts = {path.stem for path in (ROOT / "deploy/runbooks").glob("*.md")}
    assert set(re.findall(r"`(Syncline[A-Z]\w+)`", text)) <= alerts


@pytest.mark.parametrize("name", EVERY)
def test_keys_of_the_configuration_exist(name: str) -> None:
    """`limits.x`, `target.x`, `postgres.x` …: of a service's configuration, or of the chart's values."""
    known = (ROOT / "docs/configuration.md").read_text() + "".join(path.read_text() for path in ROOT.glob("services/*/README.md")) + (ROOT / "helm/syncline/README.md").read_text()
    for key in re.findall(r"`((?:limits|target|postgres|stock|http|monitoring|kafka|expose|migrations)\.[\w.]+)`", Page(name).text):
        assert f"`{key}`" in known or f"`{key}." in known, key
