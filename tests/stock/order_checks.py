"""A stack whose orders live in the Shopify sandbox, with reconciliation beside it, and what its tests do."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from confluent_kafka import Consumer, TopicPartition
from stack import wait_until
from stack.stack import merged
from support.flow import Flow
from support.orders import Order
from support.settled import TOPIC, held, rows

TOPICS = ("orders/create", "orders/updated", "orders/delete")
INTERVAL = 4  # Seconds between two scans.
GRACE = 8  # Seconds a change is left to its webhook.

# Short times instead of the shipped ones (minutes), so that a test sees several scans.
QUICK = {
    "lease": "3s",
    "orders": {
        "interval": f"{INTERVAL}s",
        "grace": f"{GRACE}s",
        "overlap": "120s",
        "skew": "2s",
        "settle": "1s",
        "subscriptions": {"policy": "repair", "topics": list(TOPICS), "interval": "2s"},
    },
}


FETCHED = {7: "CAUSE_RECONCILED", 8: "CAUSE_BACKFILLED"}


@dataclass
class Snapshot:
    id: str
    cause: int


class OrderLog:
    """What orders.v1 holds, read on from where it was last read."""

    def __init__(self, brokers: str) -> None:
        self.consumer = Consumer({"bootstrap.servers": brokers, "group.id": "order-checks-test", "enable.auto.commit": False, "log_level": 2})
        self.next: dict[int, int] = {}
        self.found: dict[str, list[Snapshot]] = defaultdict(list)

    def read(self) -> None:
        if not self.next:
            self.next = {number: 0 for number in self.consumer.list_topics(TOPIC, 10).topics[TOPIC].partitions}
        ends = {number: self.consumer.get_watermark_offsets(TopicPartition(TOPIC, number), timeout=10)[1] for number in self.next}
        self.consumer.assign([TopicPartition(TOPIC, number, at) for number, at in self.next.items()])
        while any(self.next[number] < end for number, end in ends.items()):
            message = self.consumer.poll(10)
            assert message is not None, "orders.v1 cannot be read to its end"
            assert message.error() is None, message.error()
            self.next[message.partition()] = message.offset() + 1
            headers = {name: value.decode() for name, value in message.headers() or [] if value is not None}
            if headers.get("ce_type", "").endswith(".OrderChanged"):
                value = message.value()
                # Field 1 is the cause, a varint; the enum is small.
                self.found[message.key().decode()].append(Snapshot(headers["ce_id"], value[1] if value[0] == 0x08 else 0))


class OrderChecks:
    """Orders are placed in the sandbox: it sends the webhooks (or swallows them) and shows them through the Admin API."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.stack = flow.stack
        self.shopify = flow.stack.shopify
        self.log = OrderLog(flow.stack.kafka.brokers)

    def start(self) -> None:
        """Reconciliation with short times, and with the address that Shopify shall send webhooks to."""
        uri = {"orders": {"subscriptions": {"uri": f"{self.stack.ingress_url}/webhooks/shopify"}}}
        self.stack.stock.reconciliation_settings = merged(QUICK, uri)
        self.stack.wait_ready(self.stack.add_reconciliation(0))
        self.stack._write_targets()

    @property
    def service(self):
        return self.stack.services["reconciliation/0"]

    def subscriptions(self, shop: str) -> set[str]:
        return {found["topic"] for found in self.shopify.control(f"shops/{shop}/subscriptions") if not found["from_app"]}

    def heal(self) -> None:
        self.shopify.control("faults", "DELETE")

    def fault(self, **rule: Any) -> None:
        self.shopify.control("faults", "POST", rule)

    # ---- orders
    def order(self, shop: str = "eu", **members: Any) -> Order:
        at = datetime.now(timezone.utc).replace(microsecond=0)
        return self.flow.order(shop, processed_at=members.pop("processed_at", at), updated_at=members.pop("updated_at", at), **members)

    def place(self, order: Order, *topics: str) -> None:
        """Into Shopify, which announces it by these webhooks."""
        self.shopify.control(f"shops/{order.shop}/orders/import", "POST", {"body": order.body(), "topics": list(topics or ("orders/create",))})

    def change(self, order: Order) -> None:
        order.updated_at = max(order.updated_at + timedelta(seconds=1), datetime.now(timezone.utc).replace(microsecond=0))
        self.place(order, "orders/updated")

    def delete(self, order: Order) -> None:
        self.shopify.control(f"shops/{order.shop}/orders/{order.id}/delete", "POST", {})

    # ---- what happened
    def swallowed(self, *orders: Order) -> set[str]:
        """Keys of those whose webhook the sandbox never sent."""
        listed = {shop: self.shopify.control(f"shops/{shop}/webhooks?state=dropped&limit=10000") for shop in {order.shop for order in orders}}
        gone = {f"{shop}/{delivery['resource']}" for shop, deliveries in listed.items() for delivery in deliveries}
        return gone & {order.key for order in orders}

    def reconciled(self, *orders: Order) -> dict[str, list[str]]:
        """Key → ce_ids of the snapshots that the check sent; keys without any are left out."""
        self.log.read()
        found = {order.key: [event.id for event in self.log.found[order.key] if event.cause in FETCHED] for order in orders}
        return {key: ids for key, ids in found.items() if ids}

    def causes(self, order: Order) -> list[str]:
        self.log.read()
        return [FETCHED[event.cause] for event in self.log.found[order.key] if event.cause in FETCHED]

    def held(self, order: Order) -> dict[str, str]:
        return held(self.stack, [order.key])

    def reasons(self, order: Order, kind: str) -> set[str]:
        """Why order-export skipped the events of that type."""
        found = rows(self.stack, f"select reason from order_export.inbox where key = '{order.key}' and type like '%.{kind}' and state = 'skipped'")
        return {reason for (reason,) in found}

    def found(self, shop: str) -> float:
        return self.service.metric("syncline_reconciliation_orders_found_total", shop=shop)

    def checked(self, shop: str) -> dict[str, Any]:
        answer = self.stack.admin(self.service, "/admin/order-checks")
        return next(item for item in answer["items"] if item["shop"] == shop)

    def scanned(self, shop: str, seconds: float = 120) -> None:
        """Waits for a whole scan for which nothing that stands now is too young, and until what it found has been fetched."""
        begin = datetime.now(timezone.utc) + timedelta(seconds=GRACE + 2)

        def done() -> bool:
            state = self.checked(shop)
            return bool(state["passed_at"]) and moment(state["passed_at"]) > begin and state["to_fetch"] == 0

        wait_until(done, seconds, f"a whole scan of {shop}", interval=0.2)

    def ctl(self, *arguments: str, code: int = 0) -> str:
        run = subprocess.run(
            [str(self.stack.bin / "synclinectl"), "--targets", str(self.stack.targets_file), *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert run.returncode == code, f"{arguments}: {run.returncode}\n{run.stdout}\n{run.stderr}"
        return run.stdout + run.stderr



def moment(text: str) -> datetime:
    """Of RFC 3339 with any number of digits."""
    head, _, rest = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{head}.{(rest + '000000')[:6]}+00:00")
