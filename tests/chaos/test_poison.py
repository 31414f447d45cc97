"""A record that kills the process stops nothing but itself."""

import signal

from stack import wait_until
from support.settled import dead

DEATHS_MAX = 4  # The one among others, then three tries alone; the start after them gives the record up.


def test_deaths_on_one_record_end_and_the_rest_goes_on(flow, tmp_path):
    """Every start dies at the first intent it writes, so the first record that is not settled kills the process each time."""
    flow.drained()
    poison = flow.order()
    marker = tmp_path / "poison"
    fault = {"SYNCLINE_FAULT": "intent_written:1:kill", "SYNCLINE_FAULT_MARKER": str(marker)}
    assert flow.export.process.stop() is not None
    flow.place(poison)
    deaths = 0
    while not dead(flow.stack, [poison.key]):
        assert deaths <= DEATHS_MAX, "the record goes on killing the process"
        marker.unlink(missing_ok=True)
        flow.export.process.start(fault)
        wait_until(lambda: not flow.export.process.running() or dead(flow.stack, [poison.key]), 120, "order-export dies or gives the record up")
        if not flow.export.process.running():
            assert flow.export.process.exit_code() == -signal.SIGKILL and marker.exists()
            deaths += 1
    assert deaths == DEATHS_MAX
    flow.export.process.stop()
    later = [flow.order() for _ in range(20)]
    flow.sender.deliver_all([flow.sender.order_webhook("orders/create", order) for order in later])
    flow.stack.restart(flow.export.name)
    flow.exported(*later, seconds=60)
    flow.settled([*later, poison], dead_letters={poison.key: "bug/process_died"}, skipped={}, seconds=60)
    flow.compare(later)
    assert flow.erp.order(poison) is None
