"""kill -9 of each component in the middle of 2,000 orders: what ingress answered 200 is in the ERP exactly once."""

import random

import pytest
from traffic import Traffic

ORDERS = 2000
SEEDS = {"ingress": 1, "order-export": 2, "kafka": 3, "postgres": 4, "odoo": 5}


def kill_and_restart(flow, component: str) -> None:
    stack = flow.stack
    if component == "kafka":
        stack.kafka.process.kill()
        stack.kafka.restart()
    elif component == "postgres":
        stack.postgres.process.kill()
        stack.postgres.restart()
    elif component == "odoo":
        stack.odoo["odoo-main"].kill()
        stack.odoo["odoo-main"].start()
        stack.wait_odoo()
    else:
        name = "ingress" if component == "ingress" else flow.export.name
        stack.services[name].process.kill()
        stack.restart(name)


@pytest.mark.parametrize("component", SEEDS)
def test_a_kill_in_the_middle_loses_and_doubles_nothing(flow, component):
    chance = random.Random(SEEDS[component])
    flow.erp.settings(latency_ms=20)
    traffic = Traffic(flow, ORDERS, SEEDS[component])
    moments = sorted(chance.uniform(0.1, 0.9) for _ in range(2))
    for moment in moments:
        traffic.wait_accepted(int(traffic.total * moment))
        kill_and_restart(flow, component)
    traffic.join()
    flow.settled(traffic.orders, seconds=300)  # After a kill of order-export records run one at a time.
    flow.compare(traffic.orders)


def test_a_rollout_in_the_middle_is_orderly(flow):
    """SIGTERM with a backlog, as every rollout does it: each process drains, ends with 0, and the next one goes on."""
    flow.erp.settings(latency_ms=20)
    traffic = Traffic(flow, ORDERS, seed=6)
    for share in (0.2, 0.5, 0.8):
        traffic.wait_accepted(int(traffic.total * share))
        for service in (flow.export, flow.ingress):
            service.process.stop()
            assert service.process.exit_code() == 0, service.process.tail()
            flow.stack.restart(service.name)
    traffic.join()
    flow.settled(traffic.orders, seconds=120)
    flow.compare(traffic.orders)
