"""What a person mistypes is refused before anything is installed, and named."""

from __future__ import annotations

from typing import Any

import pytest
from chart import Object, template

CONNECTION = "services.order-export.connections.odoo-main"

# (where in the values, what is written there, what the message has to name)
TYPOS: list[tuple[str, Any, str]] = [
    ("kafka.broker", "kafka:9092", "broker"),
    ("kafka.brokers", "kafka", "kafka/brokers"),
    ("kafka.security.protocoll", "tls", "protocoll"),
    ("kafka.security.protocol", "SSL", "kafka/security/protocol"),
    ("postgres.existingsecret", "db", "existingsecret"),
    ("image.tag", 1.2, "image/tag"),
    ("image.digests.ingress", "4f53cda1", "image/digests/ingress"),
    ("image.digests.ingres", "sha256:" + "0" * 64, "ingres"),
    ("services.order-exports", {}, "order-exports"),
    ("services.ingress.replica", 2, "replica"),
    ("services.ingress.replicas", "two", "services/ingress/replicas"),
    ("services.ingress.config.door.body_bytes_maximum", "4MiB", "body_bytes_maximum"),
    ("services.ingress.config.listen", "0.0.0.0:80", "listen"),
    ("services.ingress.config.retry_after", "2 seconds", "retry_after"),
    ("services.ingress.connections.a", {}, "connections"),
    (f"{CONNECTION}.config.target.batchmax", 5, "batchmax"),
    (f"{CONNECTION}.config.target.batch_max", 5000, "batch_max"),
    (f"{CONNECTION}.config.target.api_key_file", {"name": "odoo", "key": "api-key"}, "api_key_file"),
    (f"{CONNECTION}.config.target.calls_in_flight", "8", "calls_in_flight"),
    (f"{CONNECTION}.maping", {}, "maping"),
    (f"{CONNECTION}.resources.limit", {"memory": "1Gi"}, "limit"),
    (f"{CONNECTION}.resources.limits.memory", "1GB", "limits/memory"),
    ("services.order-export.connections.Odoo_Main", {}, "Odoo_Main"),
    (f"{CONNECTION}.autoscaling.by", "lag", "autoscaling/by"),
    ("defaults.config.limits.call_deadline", "60s", "call_deadline"),
    ("defaults.config.log.level", "verbose", "log/level"),
    ("shops.eu.currency", "euro", "shops/eu/currency"),
    ("shops.eu.domian", "x.myshopify.com", "domian"),
    ("shops.eu.admin", {"tokenkey": "eu"}, "tokenkey"),
    ("expose.ingres.enabled", True, "ingres"),
    ("monitoring.serviceMonitor.enabled", True, "serviceMonitor"),
    ("networkPolicy.enabled", "yes", "networkPolicy/enabled"),
    ("migrations.useHook", False, "useHook"),
    ("strimzi.users.authentication", "scram", "strimzi/users/authentication"),
    ("scheduled.nightly", {"cron": "0 4 * * *", "command": ["doctor"]}, "cron"),
    ("replicaCount", 2, "replicaCount"),
]  # fmt: skip


def nested(path: str, value: Any) -> Object:
    for name in reversed(path.split(".")):
        value = {name: value}
    return value


@pytest.mark.parametrize(("path", "value", "named"), TYPOS, ids=[path for path, _, _ in TYPOS])
def test_a_typo_is_refused_and_named(path: str, value: Any, named: str) -> None:
    done = template("production", values=nested(path, value))
    assert done.returncode != 0, f"{path} was taken"
    assert "don't meet the specifications of the schema" in done.stderr, done.stderr
    assert named in done.stderr, done.stderr


def test_a_key_with_dots_in_its_names_is_still_a_key() -> None:
    """kafka.properties passes names with dots through to the client."""
    done = template("production", values={"defaults": {"config": {"kafka": {"properties": {"client.rack": "zone-b"}}}}})
    assert done.returncode == 0, done.stderr
    assert "client.rack: zone-b" in done.stdout


# (values over a set, what the message has to say)
REFUSED: list[tuple[str, str, Object, str]] = [
    ("without brokers", "smallest", {"kafka": {"brokers": ""}}, "kafka.brokers is required"),
    ("without a database", "smallest", {"postgres": {"existingSecret": ""}}, "postgres.existingSecret is required"),
    ("without tokens", "smallest", {"admin": {"existingSecret": ""}}, "admin.existingSecret is required"),
    ("SASL without a user", "smallest", {"kafka": {"security": {"protocol": "sasl_tls"}}}, "kafka.security.username"),
    ("users that do not fit the protocol", "smallest", {"strimzi": {"cluster": "k", "users": {"enabled": True}}}, "does not fit kafka.security.protocol plaintext"),
    ("topics of no cluster", "smallest", {"strimzi": {"topics": {"enabled": True}}}, "strimzi.cluster is required"),
    ("Secrets that come after the hooks", "argocd", {"migrations": {"useHooks": True}}, "migrations.useHooks=false"),
    ("a connection without its mapping", "argocd", {"mappings": {"existingConfigMap": ""}}, "services.order-export.connections.odoo-main.mapping is required"),
    ("a shop of no app", "production", {"shops": {"eu": {"app": "other"}}}, "shops.eu.app is other"),
    ("two sources of shops", "production", {"shopify": {"existingConfigMap": "shops"}}, "remove one of the two"),
    ("more pods than partitions", "production", {"services": {"order-export": {"connections": {"odoo-outlet": {"replicas": 13}}}}}, "12 partitions"),
    ("more pods than partitions, scaled", "production", {"services": {"order-export": {"connections": {"odoo-main": {"autoscaling": {"maxReplicas": 13}}}}}}, "12 partitions"),
    ("KEDA without its password", "production", {"services": {"order-export": {"connections": {"odoo-main": {"autoscaling": {"authenticationRef": ""}}}}}}, "TriggerAuthentication"),
    ("lag of a service that consumes nothing", "no-operators", {"services": {"ingress": {"autoscaling": {"by": "keda"}}}}, "consumes nothing"),
    ("two mappings of one name", "production", {"services": {"inventory-sync": {"connections": {"odoo-main": {"mapping": {"sources": {}}}}}}}, "both would read mappings/odoo-main.yaml"),
    ("stock of nobody", "production", {"services": {"reconciliation": {"connections": {"main": {"config": {"stock": {"mapping": "stock-mian"}}}}}}}, "no connection of services.inventory-sync"),
    ("fewest above most", "production", {"services": {"order-export": {"connections": {"odoo-main": {"autoscaling": {"minReplicas": 7}}}}}}, "minReplicas is above maxReplicas"),
    ("an Ingress for no host", "smallest", {"expose": {"ingress": {"enabled": True}}}, "expose.ingress.hosts is required"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "value_set", "values", "says"), REFUSED, ids=[case for case, _, _, _ in REFUSED])
def test_what_does_not_fit_together_is_refused_with_its_remedy(case: str, value_set: str, values: Object, says: str) -> None:
    done = template(value_set, values=values)
    assert done.returncode != 0, f"{case} was taken"
    assert says in done.stderr, done.stderr


def test_a_kubernetes_that_is_too_old_is_refused() -> None:
    done = template("smallest", minor="1.29")
    assert done.returncode != 0
    assert "kubeVersion" in done.stderr
