"""The values that docs/operating shows are values that the chart takes."""

from __future__ import annotations

import re
import subprocess

import pytest
import yaml
from chart import ROOT, objects, of_kind, template

PAGE = ROOT / "docs/operating/install.md"
BLOCKS = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)]


def test_the_first_block_installs_everything_it_promises() -> None:
    found = {each["metadata"]["name"] for each in of_kind(objects("smallest", values=BLOCKS[0]), "Deployment")}
    assert found == {"syncline-ingress", "syncline-order-export-odoo-main", "syncline-reconciliation-main", "syncline-order-status-main"}


@pytest.mark.parametrize("block", BLOCKS[1:], ids=[next(iter(block)) for block in BLOCKS[1:]])
def test_each_further_block_fits_on_top(block: dict[str, object]) -> None:
    def over(wide: dict, narrow: dict) -> dict:
        return {**wide, **{key: over(wide[key], value) if isinstance(value, dict) and isinstance(wide.get(key), dict) else value for key, value in narrow.items()}}

    before = template("smallest", values=BLOCKS[0])
    after = template("smallest", values=over(BLOCKS[0], block))
    assert after.returncode == 0, after.stderr
    assert after.stdout != before.stdout, "a block that changes nothing explains nothing"


def test_the_refusal_shown_is_the_one_that_comes() -> None:
    done = template("smallest", values={"services": {"ingress": {"replica": 2}}})
    for line in re.findall(r"^    (Error: values.*|syncline:|- at .*)$", PAGE.read_text(), re.MULTILINE):
        assert line in done.stderr, done.stderr


def test_the_topics_command_prints_what_it_reads() -> None:
    """docs/operating/install.md reads three columns, the third a list of settings."""
    done = subprocess.run(["/usr/bin/python3", str(ROOT / "tools/docs/topics.py"), "--kafka-properties"], capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        topic, partitions, settings = line.split("\t")
        assert topic.startswith("syncline."), line
        assert int(partitions) > 0
        assert all("=" in setting for setting in settings.split(",")), line
