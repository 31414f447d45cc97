"""The world outside Syncline for the flow of random operations: three sources of three bases, two shops with equal SKUs, and what
is true in it. It knows nothing of how inventory-sync computes: what may be sold is what lies there less the open orders."""

from __future__ import annotations

import base64
import hashlib
import hmac
import heapq
import http.client
import json
import random
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import yaml
from stack import Stack
from stack.stock import Stock

# Place of a source → what it is to the shops: (shop, number of its location).
FEEDS = {
    ("wms-north", "MAIN"): [("eu", 0), ("us", 0)],
    ("erp-stock", "WH"): [("eu", 1), ("us", 1)],
    ("till", "BER"): [("us", 2)],
}
BASES = {"wms-north": "physical", "erp-stock": "net_of_own", "till": "net_of_all"}
LOCATIONS = ("Main", "Second", "Third")
SOURCE_OF = {pair: place for place, pairs in FEEDS.items() for pair in pairs}


def stock_of(items: int, **more: Any) -> Stock:
    return Stock(mapping=lambda stack: yaml.safe_dump(mapping_of(stack), sort_keys=False), locations=LOCATIONS, items=items, reconciliation=0, order_status=0, **more)


def mapping_of(stack: Stack) -> dict[str, Any]:
    ids = {shop.alias: [int(place["id"]) for place in stack.shopify.control(f"shops/{shop.alias}/summary")["locations"]] for shop in stack.shops}
    shops: dict[str, Any] = {}
    for (source, place), pairs in FEEDS.items():
        for shop, number in pairs:
            shops.setdefault(shop, {"locations": []})["locations"].append({"id": ids[shop][number], "from": [{"source": source, "location": place}]})
    return {"sources": {name: {"basis": basis} for name, basis in BASES.items()}, "shops": shops}


@dataclass
class Order:
    shop: str
    id: str
    sku: str
    location: int
    quantity: int
    open: bool = True
    cancelled: bool = False


@dataclass
class Shelf:
    """What lies at a place of a SKU, and the time of the last message about it."""

    pieces: int = 0
    told_at: float = 0.0
    moved_at: float = 0.0  # When an order changed something that its source cannot time exactly.


@dataclass
class World:
    stack: Stack
    seed: int
    skus: list[str]
    message_delay: float = 4.0
    skew: dict[str, float] = field(default_factory=dict)  # Seconds that a source's clock is ahead.

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.shelves: dict[tuple[tuple[str, str], str], Shelf] = {(place, sku): Shelf() for place in FEEDS for sku in self.skus}
        self.orders: list[Order] = []
        self.open_units: dict[tuple[str, int, str], int] = defaultdict(int)
        self.open_orders: list[Order] = []
        self.waiting: list[tuple[float, int, str, dict[str, Any]]] = []  # Messages under way: (due, n, source, entry)
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.counter = 0
        self.done: dict[str, int] = defaultdict(int)
        self.locations = {shop.alias: [int(place["id"]) for place in stack_summary(self.stack, shop.alias)["locations"]] for shop in self.stack.shops}
        self.secrets = {source.name: source for source in self.stack.stock_sources}
        self.door = http.client.HTTPConnection("127.0.0.1", self.stack.ingress_port, timeout=30)

    # ---- what is true
    def open_at(self, place: tuple[str, str], sku: str) -> int:
        return sum(self.open_units[(shop, number, sku)] for shop, number in FEEDS[place])

    def said(self, place: tuple[str, str], sku: str) -> int:
        """What the source would answer now."""
        pieces = self.shelves[(place, sku)].pieces
        return pieces - self.open_at(place, sku) if BASES[place[0]] == "net_of_all" else pieces

    def sellable(self, place: tuple[str, str], sku: str) -> int:
        return max(0, self.shelves[(place, sku)].pieces - self.open_at(place, sku))

    def expected(self, shop: str, number: int, sku: str) -> tuple[int, int]:
        """(available, on_hand) that Shopify must show once everything is known."""
        place = SOURCE_OF[(shop, number)]
        own = self.open_units[(shop, number, sku)]
        pieces = self.shelves[(place, sku)].pieces
        if BASES[place[0]] == "physical":
            for_it = pieces - (self.open_at(place, sku) - own)
            on_hand = max(0, min(for_it, own + max(0, for_it - own)))
            return on_hand - own, on_hand
        available = max(0, pieces - self.open_at(place, sku))
        return available, available + own

    # ---- messages
    def tell(self, place: tuple[str, str], sku: str, change: int | None, *, delay: float | None = None) -> None:
        """The source tells the change, or its level (change None). Times of one place and SKU never repeat."""
        shelf = self.shelves[(place, sku)]
        shelf.told_at = max(time.time(), shelf.told_at + 0.002)
        at = datetime.fromtimestamp(shelf.told_at + self.skew.get(place[0], 0.0), timezone.utc).isoformat(timespec="milliseconds")
        self.counter += 1
        if change is None:
            entry: dict[str, Any] = {"location": place[1], "sku": sku, "quantity": self.said(place, sku), "observed_at": at}
        else:
            entry = {"location": place[1], "sku": sku, "delta": change, "id": f"m{self.counter}", "observed_at": at}
        late = self.random.uniform(0, self.message_delay) * (self.random.random() < 0.5) if delay is None else delay
        heapq.heappush(self.waiting, (time.time() + late, self.counter, place[0], entry))
        if self.random.random() < 0.1:  # Told twice.
            heapq.heappush(self.waiting, (time.time() + late + self.random.uniform(0, self.message_delay), -self.counter, place[0], entry))
            self.done["repeated"] += 1

    def deliver(self, everything: bool = False) -> None:
        """Hands ingress what is due, out of order."""
        due: dict[str, list[dict[str, Any]]] = defaultdict(list)
        while self.waiting and (everything or self.waiting[0][0] <= time.time()):
            _, _, source, entry = heapq.heappop(self.waiting)
            due[source].append(entry)
        for source, entries in due.items():
            self.random.shuffle(entries)
            for start in range(0, len(entries), 500):
                part = entries[start : start + 500]
                self.push(source, {"reports": [entry for entry in part if "quantity" in entry], "adjustments": [entry for entry in part if "delta" in entry]})

    def push(self, source: str, body: dict[str, Any]) -> None:
        data = json.dumps({name: list_ for name, list_ in body.items() if list_}).encode()
        secret = self.secrets[source]
        headers = {"Content-Type": "application/json"}
        if secret.proof == "hmac":
            headers["X-Syncline-Hmac-Sha256"] = base64.b64encode(hmac.new(secret.secret.encode(), data, hashlib.sha256).digest()).decode()
        else:
            headers["Authorization"] = f"Bearer {secret.secret}"
        for attempt in range(60):
            try:
                self.door.request("POST", f"/stock/{source}", data, headers)
                answer = self.door.getresponse()
                text = answer.read()
                if answer.status == 202:
                    return
                assert answer.status >= 500, f"{answer.status} {text!r}"
            except (OSError, http.client.HTTPException):
                self.door.close()
            time.sleep(min(2.0, 0.1 * 2**attempt))
        raise AssertionError(f"ingress does not take what {source} says")

    # ---- operations
    def move(self, place: tuple[str, str] | None = None, sku: str | None = None) -> None:
        """Goods come in, go over the counter, are counted."""
        place = place or self.random.choice(list(FEEDS))
        sku = sku or self.random.choice(self.skus)
        shelf = self.shelves[(place, sku)]
        kind = self.random.random()
        step = self.random.randint(1, 12) if kind < 0.45 else -min(self.random.randint(1, 6), max(0, shelf.pieces - self.open_at(place, sku)))
        shelf.pieces += step
        self.tell(place, sku, step if self.random.random() < 0.6 else None)
        self.done["moves"] += 1

    def sell(self) -> None:
        (shop, number), _ = self.random.choice(list(SOURCE_OF.items()))
        lines = [
            {"lines": [{"sku": sku, "quantity": self.random.randint(1, 3)}], "location": self.locations[shop][number]}
            for sku in self.random.sample(self.skus, min(8, len(self.skus)))
        ]
        for wanted, sold in zip(lines, self.stack.shopify.control(f"shops/{shop}/checkout", "POST", lines), strict=True):
            if "refused" in sold:
                self.done["sold out"] += 1
                continue
            line = wanted["lines"][0]
            order = Order(shop, sold["id"], line["sku"], number, line["quantity"])
            self.orders.append(order)
            self.open_orders.append(order)
            self.change_open(order, order.quantity)
            self.done["sales"] += 1

    def change_open(self, order: Order, change: int) -> None:
        self.open_units[(order.shop, order.location, order.sku)] += change
        place = SOURCE_OF[(order.shop, order.location)]
        self.shelves[(place, order.sku)].moved_at = time.time()
        if BASES[place[0]] == "net_of_all":
            self.tell(place, order.sku, -change if self.random.random() < 0.5 else None)

    def take_open(self) -> Order | None:
        if not self.open_orders:
            return None
        at = self.random.randrange(len(self.open_orders))
        self.open_orders[at], self.open_orders[-1] = self.open_orders[-1], self.open_orders[at]
        return self.open_orders.pop()

    def ship_or_cancel(self) -> None:
        order = self.take_open()
        if order is None:
            return
        place = SOURCE_OF[(order.shop, order.location)]
        shelf = self.shelves[(place, order.sku)]
        order.open = False
        order.cancelled = self.random.random() < 0.25 or shelf.pieces < order.quantity
        self.stack.shopify.control(f"shops/{order.shop}/orders/{order.id}/{'cancel' if order.cancelled else 'fulfil'}", "POST", {})
        if order.cancelled:
            self.change_open(order, -order.quantity)
            self.done["cancelled"] += 1
            return
        shelf.pieces -= order.quantity
        self.open_units[(order.shop, order.location, order.sku)] -= order.quantity
        shelf.moved_at = time.time()
        # Of a net source nothing has changed; the others have fewer.
        self.tell(place, order.sku, None if BASES[place[0]] == "net_of_all" or self.random.random() < 0.4 else -order.quantity)
        self.done["shipped"] += 1

    def step(self) -> None:
        kind = self.random.random()
        if kind < 0.62:
            self.move()
        elif kind < 0.72:
            self.sell()
        else:
            self.ship_or_cancel()

    @property
    def operations(self) -> int:
        return sum(self.done[name] for name in ("moves", "sales", "shipped", "cancelled"))

    def settle_times(self) -> int:
        """Shopify tells times to the second, so what a source says within seconds of an order's change may count against it. Everything
        moves once more, mostly by changes on what was told before; only where a source spoke too early all the same it tells its
        level. Returns of how many."""
        time.sleep(2.6 + 2 * max((abs(value) for value in self.skew.values()), default=0.0))
        for place, sku in self.shelves:
            self.move(place, sku)
        count = 0
        for (place, sku), shelf in self.shelves.items():
            if shelf.moved_at and shelf.told_at < shelf.moved_at + 2.5 + 2 * max((abs(value) for value in self.skew.values()), default=0.0):
                self.tell(place, sku, None, delay=0)
                count += 1
        self.deliver(everything=True)
        return count


def stack_summary(stack: Stack, alias: str) -> dict[str, Any]:
    return stack.shopify.control(f"shops/{alias}/summary")
