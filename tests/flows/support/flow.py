"""A running stack and everything a test does with it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stack import Connection, Stack

from .erp import Erp, compare_all, credit_note_differences, differences, refund_name
from .ids import Ids
from .mapping import mapping_text
from .orders import Order
from .settled import drained, settled
from .shopify import Sender, Webhook
from stack import wait_until


def start_what_ended(stack: Stack) -> None:
    if not stack.kafka.process.running():
        stack.kafka.restart()
    if not stack.postgres.process.running():
        stack.postgres.restart()
    for name, process in stack.odoo.items():
        if not process.running():
            process.start()
            stack.wait_odoo(name)
    for name, service in stack.services.items():
        if not service.process.running():
            stack.restart(name)


class Flow:
    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.sender = Sender(stack.ingress_url, stack.shops)
        self.erp = Erp(stack.odoo_url())
        self.ids = Ids()

    # ---- making and sending
    def order(self, shop: str = "eu", **members: Any) -> Order:
        members.setdefault("currency", "EUR" if shop == "eu" else "USD")
        return Order(shop, members.pop("id", None) or self.ids.order(), **members)

    def place(self, order: Order) -> Webhook:
        """orders/create, accepted."""
        webhook = self.sender.order_webhook("orders/create", order)
        self.sender.deliver(webhook)
        return webhook

    def update(self, order: Order, topic: str = "orders/updated", **options: Any) -> Webhook:
        webhook = self.sender.order_webhook(topic, order, **options)
        self.sender.deliver(webhook)
        return webhook

    def refund(self, order: Order, body: dict[str, Any]) -> Webhook:
        webhook = self.sender.webhook(order.shop, "refunds/create", body)
        self.sender.deliver(webhook)
        return webhook

    # ---- waiting and comparing
    def settled(self, orders: Sequence[Order], **expected: Any) -> None:
        settled(self.stack, [order.key for order in orders], **expected)

    def drained(self, seconds: float = 60) -> None:
        drained(self.stack, seconds)

    def exported(self, *orders: Order, seconds: float = 30) -> None:
        """Waits until every order stands in the ERP as it is."""

        def rest() -> list[str]:
            documents = self.erp.orders(os.path.commonprefix([order.external_id for order in orders]))
            return [line for order in orders for line in differences(order, documents.get(order.external_id))]

        try:
            wait_until(lambda: not rest(), seconds, "the orders stand in the ERP", interval=0.2)
        except Exception as error:
            raise AssertionError("\n".join(rest()[:20])) from error

    def credited(self, order: Order, refund: dict[str, Any], seconds: float = 30) -> dict[str, Any]:
        name = refund_name(order, refund)

        def rest() -> list[str]:
            return credit_note_differences(order, refund, self.erp.credit_notes(name).get(name))

        try:
            wait_until(lambda: not rest(), seconds, "the credit note stands", interval=0.2)
        except Exception as error:
            raise AssertionError("\n".join(rest())) from error
        return self.erp.credit_notes(name)[name]

    def compare(self, orders: Sequence[Order]) -> None:
        compare_all(self.erp, orders)

    # ---- services
    @property
    def export(self):
        return self.stack.services["order-export/odoo-main/0"]

    @property
    def ingress(self):
        return self.stack.services["ingress"]

    def admin(self, path: str, method: str = "GET", body: Any = None, service: Any = None) -> Any:
        return self.stack.admin(service or self.export, path, method, body)


# What a lost answer and a dead owner make others wait for. The sandbox answers within a second or never, so the shipped limits
# (calls of 60 s, leases of 40 s, requests of 2 minutes) would only be waited for.
QUICK = {
    "target": {"call_timeout": "6s", "read_timeout": "6s", "longest_request": "4s"},
    "limits": {"call_deadline": "8s", "lease_margin": "2s"},
}

# Names that no log, metric, key or error text may show; every order carries them.
SEEDED_NAMES = ("Jeanne", "Moreau", "Rue de Test", "@eu.example.com", "@us.example.com", "Zanzibarnote")


@contextmanager
def running(name: str, *, connections: Sequence[Connection] | None = None, ingress_settings: Mapping[str, Any] | None = None, **options: Any) -> Iterator[Flow]:
    """A stack of its own with the mapping of the sandbox's catalogue; its folder is kept when SYNCLINE_KEEP is set."""
    folder = Path(tempfile.mkdtemp(prefix=f"syncline-{name}-"))
    folder.chmod(0o755)
    parts = list(connections) if connections is not None else [Connection(settings=QUICK)]
    for connection in parts:
        connection.mapping = connection.mapping or mapping_text()
    try:
        with Stack(folder, connections=parts, ingress_settings=ingress_settings, **options) as stack:
            yield Flow(stack)
    finally:
        if os.environ.get("SYNCLINE_KEEP"):
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
