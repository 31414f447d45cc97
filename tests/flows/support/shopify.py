"""A thin client that signs and posts single webhooks. Volume is loadgen's business."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import itertools
import json
import random
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

from .orders import Order

# Shopify tries 8 times within 4 hours with growing pauses; here an hour takes four seconds.
RETRY_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.0, 5.0)


def stamp(time: datetime) -> str:
    return time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


@dataclass
class Webhook:
    """One delivery; posted again it is a redelivery (same ids, same bytes)."""

    shop: str
    topic: str
    body: bytes
    triggered_at: str
    webhook_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    event_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def code(self) -> str:
        try:
            return json.loads(self.text).get("code", "")
        except ValueError:
            return ""


class Sender:
    """Posts to ingress in the name of the shops of a stack. Any thread."""

    def __init__(self, url: str, shops: Sequence[Any]) -> None:
        self.host, self.port = urlsplit(url).hostname, urlsplit(url).port
        self.shops = {shop.alias: shop for shop in shops}
        self.clock = itertools.count()
        self.connections = threading.local()

    def signature(self, shop: str, body: bytes, secret: str = "") -> str:
        key = (secret or self.shops[shop].secret).encode()
        return base64.b64encode(hmac.new(key, body, hashlib.sha256).digest()).decode()

    def webhook(self, shop: str, topic: str, body: dict[str, Any] | bytes, triggered_at: datetime | None = None) -> Webhook:
        raw = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
        # Each webhook a little later than the one before, as Shopify's clock would have it.
        at = triggered_at or datetime(2026, 11, 20, 9, 0, tzinfo=timezone.utc) + timedelta(milliseconds=next(self.clock))
        return Webhook(shop, topic, raw, stamp(at))

    def order_webhook(self, topic: str, order: Order, triggered_at: datetime | None = None) -> Webhook:
        """Triggered-At follows the order's updated_at unless given."""
        at = triggered_at or order.updated_at + timedelta(milliseconds=next(self.clock) % 900)
        return self.webhook(order.shop, topic, order.body(), at)

    def headers(self, webhook: Webhook) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "X-Shopify-Topic": webhook.topic,
            "X-Shopify-Hmac-Sha256": self.signature(webhook.shop, webhook.body),
            "X-Shopify-Shop-Domain": self.shops[webhook.shop].domain,
            "X-Shopify-API-Version": "2026-10",
            "X-Shopify-Webhook-Id": webhook.webhook_id,
            "X-Shopify-Event-Id": webhook.event_id,
            "X-Shopify-Triggered-At": webhook.triggered_at,
        }

    def post(self, webhook: Webhook, *, timeout: float = 10, **overrides: str | None) -> Reply:
        """One attempt. Overrides replace headers by name with _ for -; None removes one."""
        headers = self.headers(webhook)
        for name, value in overrides.items():
            header = name.replace("_", "-")
            for known in list(headers):
                if known.lower() == header.lower():
                    del headers[known]
            if value is not None:
                headers[header] = value
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            connection.request("POST", "/webhooks/shopify", body=webhook.body, headers=headers)
            reply = connection.getresponse()
            return Reply(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read().decode(errors="replace"))
        finally:
            connection.close()

    def deliver(self, webhook: Webhook, *, give_up: float = 60) -> int:
        """Posts until it is answered 200, as Shopify does; the number of attempts. Fails when `give_up` seconds are over."""
        deadline = time.monotonic() + give_up
        for attempt in itertools.count(1):
            try:
                status = self.post(webhook).status
            except OSError:
                status = 0
            if status == 200:
                return attempt
            assert status in (0, 429, 503), f"{webhook.topic}: {status}"
            assert time.monotonic() < deadline, f"{webhook.topic} not accepted within {give_up} s (last answer {status})"
            time.sleep(RETRY_PAUSES[min(attempt - 1, len(RETRY_PAUSES) - 1)])
        raise AssertionError

    def deliver_all(self, webhooks: Sequence[Webhook], *, threads: int = 16, give_up: float = 60) -> None:
        """Every webhook, `threads` at a time, each until it is accepted."""
        with ThreadPoolExecutor(threads) as pool:
            for done in [pool.submit(self.deliver, webhook, give_up=give_up) for webhook in webhooks]:
                done.result()


def shuffled(seed: int, webhooks: Sequence[Webhook], *, duplicates: float = 0.1) -> list[Webhook]:
    """At least once and out of order: a share comes twice, all in an order made by the seed."""
    chance = random.Random(seed)
    mixed = [*webhooks, *(webhook for webhook in webhooks if chance.random() < duplicates)]
    chance.shuffle(mixed)
    return mixed


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """work(0) … work(count-1) on threads that start together."""
    barrier = threading.Barrier(count)

    def run(number: int) -> Any:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return [done.result() for done in [pool.submit(run, number) for number in range(count)]]
