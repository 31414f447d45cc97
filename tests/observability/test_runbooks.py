"""The runbooks' form, and that their commands are commands: every verb and option is one that synclinectl has."""

from __future__ import annotations

import re
import shlex
import subprocess
from functools import cache

import known
import pytest
from runbook import COMMON, fences
from stack.paths import ROOT

PAGES = sorted(known.alert_names())
BINARY = "synclinectl"


@cache
def help_of(binary: str, *verbs: str) -> str:
    done = subprocess.run([binary, *verbs, "--help"], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, f"synclinectl has no {' '.join(verbs)}: {done.stderr}"
    return done.stdout


def words_of(line: str) -> list[str]:
    for end in ("|", "||", "&&"):
        line = line.split(f" {end} ")[0]
    return shlex.split(line)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_its_four_parts_in_order(name: str) -> None:
    text = (known.RUNBOOKS / f"{name}.md").read_text()
    assert re.findall(r"^#+ .*$", text, re.MULTILINE) == [f"# {name}", "## Meaning", "## Impact", "## Diagnosis", "## Mitigation"]
    parts = re.split(r"^## \w+$", text, flags=re.MULTILINE)[1:]
    assert all(len(part.strip()) > 40 for part in parts)
    assert fences(name, "Diagnosis", "sh") + fences(name, "Diagnosis", "console"), "nothing to look with"


@pytest.mark.parametrize("name", PAGES)
def test_fences_are_shell_and_their_variables_are_explained(name: str) -> None:
    explained = set(re.findall(r"`([A-Z_]+)`", (known.RUNBOOKS / "README.md").read_text()))
    for part in ("Diagnosis", "Mitigation"):
        for fence in fences(name, part, "sh") + fences(name, part, "console"):
            assert subprocess.run(["bash", "-n"], input=fence, text=True, capture_output=True, check=False).returncode == 0, fence
            assert set(re.findall(r"\$\{?([A-Z_]+)", fence)) <= explained, fence
            for line in fence.splitlines():
                assert words_of(line)[0] in ("synclinectl", "curl", "kubectl", "helm"), line


@pytest.mark.parametrize("name", PAGES)
def test_what_only_a_cluster_can_do_is_marked_so(name: str) -> None:
    for part in ("Diagnosis", "Mitigation"):
        assert all("kubectl" not in fence and "helm " not in fence for fence in fences(name, part, "sh"))
        assert all("synclinectl" not in fence for fence in fences(name, part, "console"))


@pytest.mark.parametrize("name", PAGES)
def test_commands_are_commands_of_synclinectl(name: str) -> None:
    binary = COMMON.synclinectl()
    if binary is None:
        pytest.skip("synclinectl is not built")
    own = set(re.findall(r"--[a-z-]+", help_of(binary)))
    for part in ("Diagnosis", "Mitigation"):
        for line in "".join(fences(name, part, "sh")).splitlines():
            words = words_of(line)
            if words[0] != BINARY:
                continue
            verbs: list[str] = []
            options: set[str] = set()
            takes_value = False
            for word in words[1:]:
                if word.startswith("--") or word == "-o":
                    options.add(word)
                    takes_value = word in own | {"-o"} and not verbs
                elif takes_value:
                    takes_value = False
                elif re.search(rf"^  {re.escape(word)} ", help_of(binary, *verbs), re.MULTILINE) and "SUBCOMMAND" in help_of(binary, *verbs):
                    verbs.append(word)
                    assert help_of(binary, *verbs)
            text = help_of(binary, *verbs)
            assert verbs and "SUBCOMMAND" not in text, f"{line}: not a command"
            assert options <= own | set(re.findall(r"--[a-z-]+", text)) | {"-o"}, f"{line}: synclinectl has no such option"


@pytest.mark.parametrize("name", PAGES)
def test_doors_are_doors_of_services(name: str) -> None:
    routes = "".join(path.read_text() for path in ROOT.glob("services/*/README.md"))
    for part in ("Diagnosis", "Mitigation"):
        for variable, path in re.findall(r'"http://\$([A-Z_]+)(/[^"?]*)', "\n".join(fences(name, part, "sh"))):
            if path != "/readyz":
                known_path = re.sub(r"\$SHOP/\$SKU", "{shop}/{sku...}", path)
                assert f" {known_path}`" in routes, f"{variable}: no door {path}"
