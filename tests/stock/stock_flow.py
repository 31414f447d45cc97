"""What the stock flows do with a stack: tell levels, sell, ship, and look at what Shopify shows."""

from __future__ import annotations

import base64
import hmac
import itertools
import json
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone
from typing import Any

from stack import wait_until
from support.flow import Flow

_skus = itertools.count(1)


def now(shift_seconds: float = 0) -> str:
    return (datetime.now(timezone.utc) + timedelta(seconds=shift_seconds)).isoformat(timespec="milliseconds")


class StockFlow:
    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.stack = flow.stack
        self.shopify = flow.stack.shopify
        self.warehouse = flow.stack.warehouse
        self.locations = {shop.alias: [place["id"] for place in self.shopify.control(f"shops/{shop.alias}/summary")["locations"]] for shop in self.stack.shops}

    def heal(self) -> None:
        self.shopify.control("faults", "DELETE")
        self.warehouse.control("faults", "DELETE")

    def sku(self) -> str:
        """A SKU that no other test uses."""
        return f"SKU-{next(_skus):07d}"

    @property
    def sync(self):
        return self.stack.services["inventory-sync/0"]

    # ---- sources
    def count(self, sku: str, quantity: int, place: str = "MAIN") -> None:
        """The warehouse counts: tells the level by its callback."""
        self.warehouse.control("count", "POST", {"place": place, "sku": sku, "quantity": quantity})

    def push(self, body: dict[str, Any], source: str = "wms-north") -> int:
        """POST /stock/<source> of a body of our own; the status."""
        found = next(item for item in self.stack.stock_sources if item.name == source)
        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        if found.proof == "hmac":
            headers["X-Syncline-Hmac-Sha256"] = base64.b64encode(hmac.new(found.secret.encode(), data, "sha256").digest()).decode()
        else:
            headers["Authorization"] = f"Bearer {found.secret}"
        request = urllib.request.Request(f"{self.stack.ingress_url}/stock/{source}", method="POST", data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    # ---- Shopify
    def sell(self, shop: str, sku: str, quantity: int, **more: Any) -> dict[str, Any]:
        return self.shopify.control(f"shops/{shop}/checkout", "POST", {"lines": [{"sku": sku, "quantity": quantity}], **more})

    def fulfil(self, shop: str, order: dict[str, Any]) -> None:
        self.shopify.control(f"shops/{shop}/orders/{order['id']}/fulfil", "POST", {})

    def level(self, shop: str, sku: str, location: int = 0) -> dict[str, Any]:
        found = self.shopify.control(f"shops/{shop}/levels?sku={sku}&location={self.locations[shop][location]}")
        return found[0]

    def shows(self, shop: str, sku: str, available: int, *, on_hand: int | None = None, seconds: float = 60, location: int = 0) -> None:
        """Waits until Shopify shows that, and names what it shows instead."""

        def right() -> bool:
            level = self.level(shop, sku, location)
            return level["available"] == available and (on_hand is None or level["on_hand"] == on_hand)

        try:
            wait_until(right, seconds, f"{sku} at {shop}", interval=0.1)
        except Exception as error:
            raise AssertionError(f"{sku} at {shop}: wanted available {available}, on_hand {on_hand}; Shopify shows {self.level(shop, sku, location)}") from error

    def history(self, shop: str, sku: str) -> list[dict[str, Any]]:
        return self.shopify.control(f"shops/{shop}/history?sku={sku}")

    def summary(self, shop: str) -> dict[str, Any]:
        return self.shopify.control(f"shops/{shop}/summary")
