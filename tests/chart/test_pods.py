"""What every pod must have whatever the values, and what a change of values may and may not restart."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from chart import CHART, HELM, MINORS, ROOT, VALUE_SETS, Object, objects, of_kind, one, pods


def duration_seconds(text: str) -> int:
    assert text.endswith("s"), text
    return int(text[:-1])


def configuration(found: list[Object], deployment: str) -> Object:
    return yaml.safe_load(one(found, "ConfigMap", f"{deployment}-config")["data"]["config.yaml"])


@pytest.mark.parametrize("value_set", VALUE_SETS)
def test_pods_are_restricted(value_set: str) -> None:
    """Pod Security, profile restricted, and neither a token nor a writable root."""
    for owner, pod in pods(objects(value_set)):
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False, owner
        assert spec["enableServiceLinks"] is False, owner
        assert spec["securityContext"]["runAsNonRoot"] is True, owner
        assert spec["securityContext"]["runAsUser"] > 0, owner
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, owner
        for host in ("hostNetwork", "hostPID", "hostIPC"):
            assert host not in spec, owner
        for volume in spec["volumes"]:
            assert set(volume) - {"name"} <= {"configMap", "secret", "emptyDir", "persistentVolumeClaim"}, owner
        for container in spec["containers"]:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False, owner
            assert context["readOnlyRootFilesystem"] is True, owner
            assert context["capabilities"] == {"drop": ["ALL"]}, owner
            assert container["resources"]["requests"], owner
            assert container["resources"]["limits"]["memory"], owner
            writable = [mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")]
            assert [path for path in writable if not path.startswith("/data/")] == ["/tmp"], owner


@pytest.mark.parametrize("value_set", VALUE_SETS)
def test_the_grace_period_covers_the_handlers_deadline(value_set: str) -> None:
    found = objects(value_set)
    for deployment in of_kind(found, "Deployment"):
        name = deployment["metadata"]["name"]
        config = configuration(found, name)
        deadline = duration_seconds(config["limits"]["call_deadline"])
        drain = duration_seconds(config["drain_seconds"])
        spec = deployment["spec"]["template"]["spec"]
        pause = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert drain > deadline, name
        assert spec["terminationGracePeriodSeconds"] > pause + drain, name
    if value_set == "everything":
        assert configuration(found, "sync-order-export-odoo-main")["limits"]["call_deadline"] == "120s"


@pytest.mark.parametrize("value_set", VALUE_SETS)
def test_each_deployment_has_its_service_its_policy_and_its_probes(value_set: str) -> None:
    found = objects(value_set)
    for deployment in of_kind(found, "Deployment"):
        name = deployment["metadata"]["name"]
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        selector = deployment["spec"]["selector"]["matchLabels"]
        assert set(selector) == {"app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component"}, "it can never be changed"
        assert selector.items() <= labels.items()
        service = one(found, "Service", name)
        assert service["spec"]["type"] == "ClusterIP"
        assert service["spec"]["selector"] == selector
        container = deployment["spec"]["template"]["spec"]["containers"][0]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert configuration(found, name)["admin"]["listen"].endswith(f":{ports['admin']}")
        if "http" in ports:
            assert configuration(found, name)["listen"].endswith(f":{ports['http']}")
        paths = {probe: container[f"{probe}Probe"]["httpGet"] for probe in ("startup", "liveness", "readiness")}
        assert paths["liveness"] == paths["startup"] == {"path": "/livez", "port": "admin"}, "a broker that is away must not restart pods"
        assert paths["readiness"] == {"path": "/readyz", "port": "admin"}
        if value_set != "no-operators":
            assert one(found, "NetworkPolicy", name)["spec"]["podSelector"]["matchLabels"] == selector
    selectors = [tuple(sorted(each["spec"]["selector"]["matchLabels"].items())) for each in of_kind(found, "Deployment")]
    assert len(set(selectors)) == len(selectors)


def test_the_admin_port_is_for_prometheus_and_operators_alone() -> None:
    for policy in of_kind(objects("production"), "NetworkPolicy"):
        for rule in policy["spec"]["ingress"]:
            if rule["ports"][0]["port"] == "admin":
                assert rule["from"] == [
                    {"podSelector": {"matchLabels": {"syncline.io/operator": "true"}}},
                    {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}},
                ]
            else:
                assert rule["ports"] == [{"protocol": "TCP", "port": "http"}]
                assert rule["from"], "with networkPolicy.gatewayFrom only the gateway gets in"
    # Who asks the admin ports of others, as inventory-sync's, carries the label.
    labelled = {owner for owner, pod in pods(objects("production")) if pod["metadata"].get("labels", {}).get("syncline.io/operator") == "true"}
    assert labelled == {"Deployment/syncline-reconciliation-main", "Pod/syncline-doctor"}


def test_only_who_calls_somebody_may_leave_the_cluster() -> None:
    found = objects("production")
    ports = {
        policy["metadata"]["name"]: sorted({port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]})
        for policy in of_kind(found, "NetworkPolicy")
    }
    assert ports["syncline-ingress"] == [53, 4318, 9092, 9093]
    assert ports["syncline-order-export-odoo-main"] == [53, 443, 4318, 5432, 9092, 9093]
    assert ports["syncline-order-export-odoo-outlet"] == [53, 4318, 5432, 8069, 9092, 9093]
    assert 8081 in ports["syncline-reconciliation-main"]


def restarted(before: str, *, values: Object) -> set[str]:
    """Deployments whose pods differ."""
    old = {each["metadata"]["name"]: each["spec"]["template"] for each in of_kind(objects(before), "Deployment")}
    new = {each["metadata"]["name"]: each["spec"]["template"] for each in of_kind(objects(before, values=values), "Deployment")}
    assert old.keys() == new.keys()
    return {name for name in old if old[name] != new[name]}


def test_shops_sources_and_mappings_restart_nothing() -> None:
    shop = {"domain": "acme-uk.myshopify.com", "app": "main", "currency": "GBP", "timezone": "Europe/London", "admin": {"tokenKey": "uk-token"}}
    assert restarted("production", values={"shops": {"uk": shop}}) == set()
    assert restarted("production", values={"shopify": {"apps": {"second": {"secretKeys": ["app-second"]}}}}) == set()
    source = {"proof": "hmac", "basis": "net_of_all", "secretKeys": ["till"]}
    assert restarted("production", values={"stockSources": {"sources": {"till": source}}}) == set()
    mapping = {"services": {"order-export": {"connections": {"odoo-main": {"mapping": {"pricelists": {"GBP": 3}}}}}}}
    assert restarted("production", values=mapping) == set()
    # … but they do arrive.
    shops = yaml.safe_load(one(objects("production", values={"shops": {"uk": shop}}), "ConfigMap", "syncline-shops")["data"]["shops.yaml"])
    assert shops["shops"]["uk"]["admin"] == {"token_file": "/run/secrets/syncline/syncline-shopify/uk-token"}


def test_configuration_restarts_its_own_deployment_alone() -> None:
    values = {"services": {"order-export": {"connections": {"odoo-main": {"config": {"target": {"batch_max": 20}}}}}}}
    assert restarted("production", values=values) == {"syncline-order-export-odoo-main"}


def test_a_connection_beside_another_has_all_of_its_own() -> None:
    found = objects("production")
    main, outlet = (configuration(found, f"syncline-order-export-{name}") for name in ("odoo-main", "odoo-outlet"))
    assert (main["connection"], outlet["connection"]) == ("odoo-main", "odoo-outlet")
    assert main["target"]["api_key_file"] != outlet["target"]["api_key_file"]
    assert main["contact_key_file"] == outlet["contact_key_file"], "what the service says holds for both"
    volumes = one(found, "Deployment", "syncline-order-export-odoo-main")["spec"]["template"]["spec"]["volumes"]
    mounted = {volume["secret"]["secretName"]: [item["key"] for item in volume["secret"].get("items", [])] for volume in volumes if "secret" in volume}
    assert mounted["odoo-main"] == ["api-key"]
    assert "odoo-outlet" not in mounted
    assert "syncline-shopify" not in mounted, "it does not know its shops and needs none of their secrets"


def test_reconciliation_asks_the_inventory_sync_it_compares() -> None:
    stock = configuration(objects("everything"), "sync-reconciliation-main")["stock"]
    assert stock["inventory_sync"]["urls"] == ["http://sync-inventory-sync-stock-main:8081"]
    assert one(objects("everything"), "Service", "sync-inventory-sync-stock-main")["spec"]["ports"][0]["port"] == 8081


def test_autoscaling_takes_the_replicas_over() -> None:
    found = objects("everything")
    for name in ("sync-ingress", "sync-order-export-odoo-main"):
        assert "replicas" not in one(found, "Deployment", name)["spec"]
    scaled = one(found, "ScaledObject", "sync-inventory-sync-stock-main")["spec"]
    assert {trigger["metadata"]["topic"] for trigger in scaled["triggers"]} == {f"acme.{name}.v1" for name in ("inventory", "orders", "fulfillments", "reconciliation")}
    assert {trigger["metadata"]["consumerGroup"] for trigger in scaled["triggers"]} == {"inventory-sync.stock-main.v1"}
    assert one(found, "HorizontalPodAutoscaler", "sync-ingress")["spec"]["minReplicas"] == 3


def test_hooks_migrate_before_and_without_hooks_each_service_does() -> None:
    production = objects("production")
    jobs = {each["metadata"]["name"] for each in of_kind(production, "Job")}
    stateful = {each["metadata"]["name"] for each in of_kind(production, "Deployment")} - {"syncline-ingress"}
    assert jobs == {f"{name}-migrate" for name in stateful}
    for name in stateful:
        assert configuration(production, name)["postgres"]["migrate_at_start"] is False
    # What a hook needs comes before it: nothing but Secrets that exist and the hook's own ConfigMap.
    for job in of_kind(production, "Job"):
        for volume in job["spec"]["template"]["spec"]["volumes"]:
            if "configMap" in volume:
                config = one(production, "ConfigMap", volume["configMap"]["name"])
                assert int(config["metadata"]["annotations"]["helm.sh/hook-weight"]) < int(job["metadata"]["annotations"]["helm.sh/hook-weight"])
        assert "serviceAccountName" not in job["spec"]["template"]["spec"]
    argocd = objects("argocd")
    assert not of_kind(argocd, "Job")
    assert configuration(argocd, "syncline-order-export-odoo-main")["postgres"]["migrate_at_start"] is True
    hooks = [each["metadata"]["name"] for each in argocd if "helm.sh/hook" in (each["metadata"].get("annotations") or {})]
    assert hooks == ["syncline-doctor"], "a test hook is run by helm test alone"


def test_images_are_overridden_by_registry_tag_and_digest() -> None:
    images = {owner: pod["spec"]["containers"][0]["image"] for owner, pod in pods(objects("everything", "--set", "image.tag=9.9"))}
    assert images["Deployment/sync-ingress"].startswith("registry.example.com:5000/platform/syncline/ingress@sha256:")
    assert images["Deployment/sync-order-status-main"] == "registry.example.com:5000/platform/syncline/order-status:9.9"
    assert images["Pod/sync-doctor"].startswith("registry.example.com:5000/platform/syncline/synclinectl@sha256:")
    version = yaml.safe_load((ROOT / "helm/syncline/Chart.yaml").read_text())["appVersion"]
    assert dict(pods(objects("smallest")))["Deployment/syncline-ingress"]["spec"]["containers"][0]["image"] == f"syncline/ingress:{version}"


def about(found: list[Object], service: str) -> set[str]:
    """Objects that speak of a service, without rules and dashboards."""
    rest = [each for each in found if each["kind"] != "PrometheusRule" and "-dashboard-" not in each["metadata"]["name"]]
    return {f"{each['kind']}/{each['metadata']['name']}" for each in rest if service in json.dumps(each)}


def test_a_service_left_out_leaves_nothing_behind() -> None:
    kinds = {name.split("/")[0] for name in about(objects("production"), "order-status")}
    assert kinds == {"ConfigMap", "Deployment", "Job", "NetworkPolicy", "PodDisruptionBudget", "Service"}
    assert about(objects("production", values={"services": {"order-status": None}}), "order-status") == set()


def test_a_service_more_is_one_key_more(tmp_path: Path) -> None:
    """No template knows the services: with its facts in the catalogue, which are generated, a new one needs its key in the values."""
    copy = tmp_path / "syncline"
    shutil.copytree(CHART, copy)
    catalogue = yaml.safe_load((copy / "files/catalogue.yaml").read_text())
    facts = catalogue["services"]["order-status"]
    catalogue["services"]["ticket-desk"] = {**facts, "group": facts["group"].replace("order-status", "ticket-desk")}
    (copy / "files/catalogue.yaml").write_text(yaml.safe_dump(catalogue))
    values = (CHART / "ci/everything-values.yaml", "services.ticket-desk.connections.main.replicas=1")
    command = [str(HELM), "template", "syncline", str(copy), "--namespace", "shop", "--kube-version", MINORS[-1], "--skip-schema-validation"]
    done = subprocess.run([*command, "--values", str(values[0]), "--set", values[1]], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found = [each for each in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if each]
    renamed = {name.replace("ticket-desk", "order-status") for name in about(found, "ticket-desk")}
    assert renamed == about(objects("everything"), "order-status")
    assert one(found, "KafkaUser", "sync-ticket-desk-main")["spec"]["authorization"]["acls"][-1]["resource"]["name"] == "ticket-desk.main.v1"
