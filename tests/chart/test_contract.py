"""What the chart says twice agrees: with the services, with proto/topics.yaml, with the rules and dashboards beside it, and with synclinectl."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml
from chart import BIN, CHART, ROOT, TOOLS, objects, of_kind, one, pods
from pod_files import PodFiles


def test_catalogue_schema_and_readme_are_what_the_services_say() -> None:
    done = subprocess.run(["/usr/bin/python3", str(ROOT / "tools/docs/chart.py"), "--check", "--bin", str(BIN)], capture_output=True, text=True, timeout=120)
    if done.returncode == 77:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr


def test_topics_are_those_of_the_list() -> None:
    listed = json.loads(subprocess.run(["/usr/bin/python3", str(ROOT / "tools/docs/topics.py"), "--json", "--prefix", "acme"], capture_output=True, text=True, check=True).stdout)
    made = {each["spec"]["topicName"]: each["spec"] for each in of_kind(objects("everything"), "KafkaTopic")}
    assert made.keys() == {topic["full_name"] for topic in listed}
    for topic in listed:
        spec = made[topic["full_name"]]
        assert spec["partitions"] == topic["partitions"]
        assert spec["config"] == {**topic["settings"], "min.insync.replicas": "2"}


def test_each_user_may_do_what_its_service_yaml_lists_and_nothing_more() -> None:
    found = objects("everything")
    installed = yaml.safe_load((CHART / "ci/everything-values.yaml").read_text())["services"]
    for folder in sorted((ROOT / "services").iterdir()):
        listing = yaml.safe_load((folder / "service.yaml").read_text())
        name = listing["service"]
        connection = "".join(f"-{one}" for one in installed[name].get("connections", ()))
        acls = one(found, "KafkaUser", f"sync-{name}{connection}")["spec"]["authorization"]["acls"]
        may = {(acl["resource"]["type"], acl["resource"]["name"], operation) for acl in acls for operation in acl["operations"] if operation != "Describe"}
        assert all(acl["resource"]["patternType"] == "literal" for acl in acls)
        dead = {"dead-letters.v1", "dead-letter-actions.v1"}
        reads = {row["topic"] for row in listing["consumes"]}
        writes = {row["topic"] for row in listing["produces"]}
        if reads:
            writes |= dead  # The kit's.
        else:
            reads = dead & writes  # It finds its dead letters in the topic.
        wanted = {("topic", f"acme.{topic}", "Read") for topic in reads} | {("topic", f"acme.{topic}", "Write") for topic in writes}
        if listing["consumes"]:
            wanted.add(("group", f"{name}.{connection[1:]}.v1", "Read"))
        assert may == wanted, name
    operator = one(found, "KafkaUser", "sync-operator")["spec"]["authorization"]["acls"]
    assert {operation for acl in operator for operation in acl["operations"]} == {"Describe", "DescribeConfigs", "Read"}


def test_rules_arrive_as_they_stand_and_can_be_left_out() -> None:
    files = sorted((CHART / "files/rules").glob("*.yaml"))
    assert files
    written = [group for path in files for group in yaml.safe_load(path.read_text())["groups"]]
    rendered = [group for each in of_kind(objects("production"), "PrometheusRule") for group in each["spec"]["groups"]]
    assert rendered == written
    alerts = [rule["alert"] for group in written for rule in group["rules"] if "alert" in rule]
    without = objects("production", values={"monitoring": {"rules": {"disabled": [alerts[0]], "alertLabels": {"team": "night"}}}})
    left = [rule for each in of_kind(without, "PrometheusRule") for group in each["spec"]["groups"] for rule in group["rules"] if "alert" in rule]
    assert [rule["alert"] for rule in left] == [alert for alert in alerts if alert != alerts[0]]
    assert all(rule["labels"]["team"] == "night" for rule in left)
    assert all("severity" in rule["labels"] for rule in left), "what the file says stays"


def test_runbooks_are_where_the_values_say() -> None:
    found = objects("production", values={"monitoring": {"rules": {"runbooks": "https://wiki.example.com/syncline/"}}})
    pages = [(rule["alert"], rule["annotations"]["runbook_url"]) for each in of_kind(found, "PrometheusRule") for group in each["spec"]["groups"] for rule in group["rules"] if "alert" in rule]
    assert pages and all(url == f"https://wiki.example.com/syncline/{alert}.md" for alert, url in pages)


def test_dashboards_arrive_byte_for_byte() -> None:
    files = sorted((CHART / "files/dashboards").glob("*.json"))
    assert files
    maps = [each for each in of_kind(objects("production"), "ConfigMap") if each["metadata"].get("labels", {}).get("grafana_dashboard") == "1"]
    assert {name: json.loads(data) for each in maps for name, data in each["data"].items()} == {path.name: json.loads(path.read_text()) for path in files}
    assert all(path.stat().st_size < 900_000 for path in files), "a ConfigMap holds 1 MiB"


@pytest.mark.parametrize("value_set", ["production", "no-operators", "smallest"])
def test_synclinectl_reads_the_targets_it_is_given(value_set: str, tmp_path: Path) -> None:
    """helm test's pod, with its real arguments: nobody answers here, which is exit 3; files it could not read would be 2."""
    binary = BIN / "synclinectl"
    if not binary.exists():
        pytest.skip("synclinectl is not built")
    found = objects(value_set)
    pod = dict(pods(found))["Pod/syncline-doctor"]
    files = PodFiles(tmp_path, found, pod, ("certificate", "key"), {})
    assert not files.missing
    targets = files.moved("/etc/syncline/targets/targets.yaml")
    written = yaml.safe_load(targets.read_text())
    assert {service["admin"] for service in written["services"]} == {
        f"http://{each['metadata']['name']}.shop.svc:8081" for each in of_kind(found, "Deployment")
    }
    # The names of services lead nowhere outside a cluster; ports where nobody listens answer at once.
    written["services"] = [{**service, "admin": "http://127.0.0.1:1"} for service in written["services"]]
    written["kafka"] = {**written["kafka"], "brokers": "127.0.0.1:1", "properties": {"security.protocol": "plaintext"}}
    targets.write_text(yaml.safe_dump(written))
    arguments = [files.text(argument).replace("--timeout=20", "--timeout=1") for argument in pod["spec"]["containers"][0]["args"]]
    done = subprocess.run([str(binary), *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 3, done.stdout + done.stderr
    for service in written["services"]:
        assert service["name"] in done.stdout


def test_the_charts_own_unit_tests() -> None:
    done = subprocess.run([str(TOOLS / "bin/helm-unittest"), "-f", "tests/*_test.yaml", str(CHART)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
