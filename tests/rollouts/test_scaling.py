"""1 → 4 → 1 instances under load: the group moves its partitions, nobody waits long, each order ends in its last state."""

from __future__ import annotations

import time

import pytest
from cluster import Cluster
from load import RATE, Load, Watch

# No longer than this without a record settled, the group's own rebalance included.
PAUSE_SECONDS_MAX = 15
STAY_SECONDS = 10


@pytest.mark.parametrize(("deployment", "first_order"), [("syncline-order-export-odoo-main", 10_000_000), ("syncline-inventory-sync-stock-main", 20_000_000)])
def test_scaling_keeps_the_order_of_each_key(cluster: Cluster, deployment: str, first_order: int) -> None:
    # The real mix: each order is created, paid and updated twice within seconds, so that an order kept wrongly ends in an old state.
    rate = max(1, RATE // 5)
    with Load(cluster, first_order=first_order, rate=rate, mix="real") as load, Watch(cluster, deployment) as watch:
        time.sleep(STAY_SECONDS)
        cluster.scale_up(deployment, 3)
        assert len(cluster.pods[deployment]) == 4
        time.sleep(STAY_SECONDS)
        shared = [cluster.figure_of(pod) for pod in cluster.pods[deployment]]
        cluster.scale_down(deployment, 3)
        time.sleep(STAY_SECONDS)
    print(f"{deployment}: longest pause {watch.longest_pause:.1f} s; settled by each of four {shared}; answers {dict(load.answers())}")
    assert sum(figure > 0 for figure in shared[1:]) >= 2, "the new instances took their share"
    assert len(cluster.pods[deployment]) == 1
    load.settled()
    assert load.compared().differences == []
    assert watch.longest_pause < PAUSE_SECONDS_MAX
