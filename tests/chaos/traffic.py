"""Orders that keep coming while something breaks; what ingress answered 200 is remembered."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from support.flow import Flow
from support.orders import Order
from support.shopify import Webhook


class Traffic:
    """Sends webhooks of `orders` in the background. `accepted` counts answers of 200; join() waits for the end.

    Each webhook is sent until it is accepted, as Shopify does, so at the end every order was accepted; what has to be proved is that
    nothing accepted got lost and nothing came twice.
    """

    def __init__(self, flow: Flow, orders: int, seed: int, *, threads: int = 12, updates: float = 0.2) -> None:
        self.flow = flow
        self.chance = random.Random(seed)
        self.orders: list[Order] = []
        self.accepted = 0
        self.total = 0
        self._lock = threading.Lock()
        batches: list[list[Webhook]] = []
        for _ in range(orders // 2):
            id = flow.ids.order()
            for shop in ("eu", "us"):
                order = flow.order(shop, id=id, country="FR")
                order.lines[0].quantity = self.chance.randint(1, 5)
                webhooks = [flow.sender.order_webhook("orders/create", order)]
                if self.chance.random() < updates:
                    order.touch().lines[0].quantity += 1
                    webhooks.append(flow.sender.order_webhook("orders/updated", order))
                self.orders.append(order)
                batches.append(webhooks)
        self.total = sum(map(len, batches))
        self._pool = ThreadPoolExecutor(threads)
        self._work = [self._pool.submit(self._send, webhooks) for webhooks in batches]

    def _send(self, webhooks: list[Webhook]) -> None:
        for webhook in webhooks:
            self.flow.sender.deliver(webhook, give_up=120)
            with self._lock:
                self.accepted += 1

    def wait_accepted(self, count: int, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while self.accepted < count:
            assert time.monotonic() < deadline, f"{self.accepted} of {count} accepted"
            for done in self._work:
                if done.done() and done.exception():
                    raise done.exception()
            time.sleep(0.01)

    def join(self) -> None:
        for done in self._work:
            done.result()
        self._pool.shutdown()
