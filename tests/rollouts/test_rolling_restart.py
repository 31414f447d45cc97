"""A rollout of every deployment, three times over, while orders come: none lost, none twice, and Shopify sees no 5xx."""

from __future__ import annotations

from cluster import Cluster
from load import RATE, Load

ROUNDS = 3


def test_every_service_is_replaced_under_load_and_nobody_notices(cluster: Cluster) -> None:
    assert len(cluster.pods["syncline-ingress"]) == 2, "two instances behind the balancer"
    with Load(cluster, first_order=5_000_000) as first:  # Brokers and databases that have just been started are slow at first.
        first.wait_batches(1)
    first.settled()
    assert first.compared().differences == []
    everyone = {pod.name for pod in cluster.all_pods()}
    refused = cluster.refused()
    with Load(cluster) as load:
        for _ in range(ROUNDS):
            for deployment in list(cluster.pods):
                cluster.roll(deployment)
    print(f"{load.rate_seen():.0f} webhooks/s, answers {dict(load.answers())}, connections {dict(load.errors())}")
    assert not everyone & {pod.name for pod in cluster.all_pods()}, "every pod is a new one"
    assert len(cluster.gone) == ROUNDS * len(everyone)
    assert [(pod.name, pod.killed_by) for pod in [*cluster.gone, *cluster.all_pods()] if pod.killed_by] == []
    # None lost, none twice, whatever was answered on the way.
    load.settled()
    findings = load.compared()
    assert findings.differences == []
    assert findings.documents > RATE * 10
    # A connection that closes under a request is sent again, by Shopify as by the sender; an answer is 200 or nothing.
    assert set(load.answers()) == {200}, cluster.refused() - refused
    assert set(load.errors()) <= {"broken", "connect"}, load.errors()
    assert load.rate_seen() >= 0.9 * RATE, "the machine did not keep up: set SYNCLINE_OPERATING_ORDERS_PER_SECOND"
