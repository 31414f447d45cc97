"""A rollout of every deployment, three times over, while orders come: none lost, none twice, and Shopify sees no 5xx."""

from __future__ import annotations

from cluster import Cluster
from load import RATE, Load

ROUNDS = 3


def test_every_service_is_replaced_under_load_and_nobody_notices(cluster: Cluster) -> None:
    assert len(cluster.pods["syncline-ingress"]) == 2, "two instances behind the balancer"
    everyone = {pod.name for pod in cluster.all_pods()}
    with Load(cluster) as load:
        for _ in range(ROUNDS):
            for deployment in list(cluster.pods):
                cluster.roll(deployment)
    assert not everyone & {pod.name for pod in cluster.all_pods()}, "every pod is a new one"
    assert len(cluster.gone) == ROUNDS * len(everyone)
    assert [(pod.name, pod.killed_by) for pod in [*cluster.gone, *cluster.all_pods()] if pod.killed_by] == []
    print(f"{load.rate_seen():.0f} webhooks/s, answers {dict(load.answers())}, connections {dict(load.errors())}")
    told = {line: count for pod in [*cluster.gone, *cluster.all_pods()] for line, count in pod.refused.items() if count}
    # A connection that closes under a request is sent again, by Shopify as by the sender; an answer is 200 or nothing.
    assert set(load.answers()) == {200}, told
    assert set(load.errors()) <= {"broken", "connect"}, load.errors()
    assert load.rate_seen() >= 0.9 * RATE, "the machine kept up; else set SYNCLINE_OPERATING_ORDERS_PER_SECOND"
    load.settled()
    findings = load.compared()
    assert findings.differences == []
    assert findings.documents > RATE * 10
