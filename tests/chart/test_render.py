"""The whole chart at once: golden renders, Kubernetes' schemas, the same bytes twice."""

from __future__ import annotations

import difflib
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from chart import CHART, HELM, MINORS, TOOLS, VALUE_SETS, Object, objects, of_kind, text

GOLDEN = Path(__file__).parent / "golden"


def test_there_are_the_value_sets_that_matter() -> None:
    assert VALUE_SETS == ["argocd", "everything", "no-operators", "production", "smallest"]
    assert len(MINORS) == 3


class Dumper(yaml.CSafeDumper):
    """Texts over several lines stay readable."""


Dumper.add_representer(str, lambda dumper, value: dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None))


# What changes with every release and every change of a configuration, and says nothing more.
SAME = [
    (re.compile(r"(checksum/config:) .*"), r"\1 of the configuration"),
    (re.compile(r"(helm.sh/chart: syncline)-.*"), r"\1-VERSION"),
    (re.compile(r"(app.kubernetes.io/version:) .*"), r"\1 VERSION"),
    (re.compile(r"(image: .*):[0-9]+\.[0-9]+\.[0-9]+$", re.MULTILINE), r"\1:VERSION"),
]


def golden(value_set: str) -> str:
    """Sorted by kind and name, without what belongs to other files: dashboards and rules have tests of their own."""
    kept = []
    for found in objects(value_set):
        each: Object = dict(found)
        if each["kind"] == "PrometheusRule":
            each["spec"] = {"groups": "those of files/rules"}
        if "grafana_dashboard" in each["metadata"].get("labels", {}):
            each["data"] = {name: "that of files/dashboards" for name in each["data"]}
        kept.append(each)
    kept.sort(key=lambda each: (each["kind"], each["metadata"]["name"]))
    made = yaml.dump_all(kept, Dumper=Dumper, sort_keys=True, width=1000, allow_unicode=True)
    for pattern, same in SAME:
        made = pattern.sub(same, made)
    return made


@pytest.mark.parametrize("value_set", VALUE_SETS)
def test_a_value_set_renders_what_it_rendered_before(value_set: str) -> None:
    """After a wanted change: SYNCLINE_GOLDEN=write tools/dev test chart, and read the diff."""
    path = GOLDEN / f"{value_set}.yaml"
    made = golden(value_set)
    if os.environ.get("SYNCLINE_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(made)
    present = path.read_text() if path.exists() else ""
    assert made == present, "".join(difflib.unified_diff(present.splitlines(True), made.splitlines(True), path.name, "rendered"))[:6000]


@pytest.mark.parametrize("value_set", VALUE_SETS)
def test_rendering_twice_gives_the_same_bytes(value_set: str) -> None:
    # The second differs in an argument that changes nothing, so that it is rendered again.
    assert text(value_set) == text(value_set, "--include-crds")


@pytest.mark.parametrize("minor", MINORS)
def test_kubernetes_takes_every_object(minor: str, tmp_path: Path) -> None:
    """Strict: members that a schema does not know are refused. Strimzi's are judged as v1beta2, whose schema can be had."""
    files = []
    for value_set in VALUE_SETS:
        path = tmp_path / f"{value_set}.yaml"
        path.write_text(text(value_set, "--set", "strimzi.apiVersion=kafka.strimzi.io/v1beta2"))
        files.append(str(path))
    command = [str(TOOLS / "bin/kubeconform"), "-strict", "-summary", "-kubernetes-version", f"{minor}.0"]
    for folder in (f"v{minor}", "crds"):
        command += ["-schema-location", str(TOOLS / "schemas" / folder / "{{.ResourceKind}}{{.KindSuffix}}.json")]
    done = subprocess.run([*command, *files], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    assert "Skipped: 0" in done.stdout


def test_the_schemas_can_refuse(tmp_path: Path) -> None:
    """A member that does not exist, a type that does not fit: in an own kind and in an operator's."""
    for kind, old, new in (("Deployment", "preStop:", "preStopp:"), ("ScaledObject", "minReplicaCount: 2", "minReplicaCount: two"), ("HTTPRoute", "hostnames:", "hostname:")):
        source = text("everything" if kind != "ScaledObject" else "production")
        assert old in source
        path = tmp_path / f"{kind}.yaml"
        path.write_text(source.replace(old, new))
        command = [str(TOOLS / "bin/kubeconform"), "-strict", "-reject", "KafkaTopic"]
        for folder in (f"v{MINORS[-1]}", "crds"):
            command += ["-schema-location", str(TOOLS / "schemas" / folder / "{{.ResourceKind}}{{.KindSuffix}}.json")]
        done = subprocess.run([*command, str(path)], capture_output=True, text=True, timeout=60)
        assert f"{kind} " in "".join(line for line in done.stdout.splitlines() if "is invalid" in line), done.stdout[-2000:]


def test_strimzis_two_versions_differ_in_their_name_only() -> None:
    newer = text("everything").splitlines()
    older = text("everything", "--set", "strimzi.apiVersion=kafka.strimzi.io/v1beta2").splitlines()
    assert {(a, b) for a, b in zip(newer, older, strict=True) if a != b} == {("apiVersion: kafka.strimzi.io/v1", "apiVersion: kafka.strimzi.io/v1beta2")}


def test_nothing_reaches_beyond_the_namespace() -> None:
    allowed = {
        "ConfigMap", "CronJob", "Deployment", "ExternalSecret", "HTTPRoute", "HorizontalPodAutoscaler", "Ingress", "Job", "KafkaTopic", "KafkaUser",
        "NetworkPolicy", "Pod", "PodDisruptionBudget", "PodMonitor", "PrometheusRule", "ScaledObject", "Service", "ServiceAccount",
    }  # fmt: skip
    for value_set in VALUE_SETS:
        assert {each["kind"] for each in objects(value_set)} <= allowed
        assert not of_kind(objects(value_set), "Secret"), "the chart holds no secret"


def test_helm_lint_finds_nothing() -> None:
    for value_set in VALUE_SETS:
        command = [str(HELM), "lint", "--strict", str(CHART), "--kube-version", MINORS[-1], "--values", str(CHART / "ci" / f"{value_set}-values.yaml")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


def test_names_stay_short_and_their_own_however_long_the_release_is() -> None:
    found = objects("production", "--set", "fullnameOverride=the-longest-name-that-is-allowed-here-is")
    names = [each["metadata"]["name"] for each in found if each["kind"] in ("Service", "Deployment")]
    assert max(map(len, names)) <= 63
    assert len({(each["kind"], each["metadata"]["name"]) for each in found}) == len(found)
