"""Two connections: both receive every order, and a slow one never delays the other."""

from stack import Connection
from support.erp import Erp, differences
from support.flow import running
from support.settled import drained, settled


def test_both_connections_receive_every_order():
    with running("two", connections=[Connection(), Connection("odoo-second")]) as flow:
        second = Erp(flow.stack.odoo_url("odoo-second"))
        rule = second.fault(kind="latency", ms=1500)
        orders = [flow.order(shop, id=id) for id in (flow.ids.order() for _ in range(50)) for shop in ("eu", "us")]
        for order in orders:
            order.country = "FR"
        flow.sender.deliver_all([flow.sender.order_webhook("orders/create", order) for order in orders])
        flow.exported(*orders)
        assert second.summary()["orders"]["total"] < len(orders), "the slow connection was not slow"
        second.control("DELETE", f"faults?id={rule}")
        drained(flow.stack, 60, "odoo-second")
        keys = [order.key for order in orders]
        settled(flow.stack, keys, skipped={})
        settled(flow.stack, keys, skipped={}, connection="odoo-second")
        flow.compare(orders)
        documents = second.orders()
        assert [line for order in orders for line in differences(order, documents.get(order.external_id))] == []
