"""Looks at inventory-sync and at Shopify side by side: what may never be, and how far what is shown is from what is true."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

from stack.process import StackError
from support.settled import Progress
from world import BASES, FEEDS, SOURCE_OF, World

TOPICS = ("syncline.inventory.v1", "syncline.orders.v1", "syncline.fulfillments.v1")

# What inventory-sync has accepted of some SKUs, in one snapshot of its database.
ACCEPTED = """
select json_build_object(
  'pairs', (select coalesce(json_agg(json_build_array(p.shop, p.location_id, p.sku, p.xmin::text,
              not p.unsent and not p.look and p.batch is null and p.held = '' and p.believed is not null and p.taken = 0 and p.net = 0
              and p.pending = 0
              and not exists (select from guards g where g.sku = p.sku)
              and not exists (select from dirty d where p.sku = any (d.skus)))), '[]') from pairs p where p.sku = any ({skus})),
  'levels', (select coalesce(json_agg(json_build_array(q.source, q.location, q.sku,
               q.level + (select coalesce(sum(a.delta), 0) from adjustments a where a.sku = q.sku and a.source = q.source
                          and a.location = q.location and a.observed_ns > q.observed_ns),
               greatest(q.observed_ns, (select max(a.observed_ns) from adjustments a where a.sku = q.sku and a.source = q.source
                          and a.location = q.location)))), '[]') from positions q where q.sku = any ({skus}) and q.level is not null),
  'open', (select coalesce(json_agg(json_build_array(r.shop, r.order_id::text, r.location_id, r.sku, r.quantity, r.placed_ns, r.provisional)), '[]')
             from reservations r where r.sku = any ({skus})))"""


def accepted(world: World, skus: list[str]) -> dict[str, Any]:
    names = "array[" + ",".join(f"'{sku}'" for sku in skus) + "]"
    return json.loads(world.stack.postgres.query("set search_path = inventory_sync; " + ACCEPTED.format(skus=names)).removeprefix("SET").strip())


@dataclass
class Judge:
    world: World
    samples: int = 0
    settled: int = 0
    broken: list[str] = field(default_factory=list)
    overshoots: list[int] = field(default_factory=list)  # Units too many for sale at a sampled pair, because something still travels.

    def levels(self, skus: list[str]) -> dict[tuple[str, int, str], dict[str, Any]]:
        shown = {}
        for shop, ids in self.world.locations.items():
            for sku in skus:
                for level in self.world.stack.shopify.control(f"shops/{shop}/levels?sku={sku}"):
                    shown[(shop, ids.index(int(level["location"])), sku)] = level
        return shown

    def sample(self, count: int = 12) -> None:
        """Nobody buys meanwhile: only what is under way moves."""
        skus = self.world.random.sample(self.world.skus, min(count, len(self.world.skus)))
        try:
            before = accepted(self.world, skus)
            shown = self.levels(skus)
            after = accepted(self.world, skus)
        except StackError:
            return  # PostgreSQL is away.
        self.samples += 1
        known = {(shop, location, sku): (version, settled) for shop, location, sku, version, settled in after["pairs"]}
        levels = {(source, place, sku): (level, until) for source, place, sku, level, until in after["levels"]}
        # What has left or was cancelled Shopify no longer counts as committed, whatever inventory-sync has heard of it.
        still_open = {(order.shop, order.id) for order in self.world.open_orders}  # Ids repeat between shops.
        for shop, location, sku, version, settled in before["pairs"]:
            number = self.world.locations[shop].index(location)
            place = SOURCE_OF[(shop, number)]
            level = shown[(shop, number, sku)]
            over = level["available"] - self.world.sellable(place, sku)
            self.overshoots.append(max(0, over))
            if not settled or known.get((shop, location, sku)) != (version, True) or before["levels"] != after["levels"] or before["open"] != after["open"]:
                continue
            self.settled += 1
            quantity, until = levels[(*place, sku)]
            feeds = {(alias, self.world.locations[alias][at]) for alias, at in FEEDS[place]}
            net_of_all = BASES[place[0]] == "net_of_all"
            open_units = sum(
                units
                for alias, order, at, of, units, placed, provisional in after["open"]
                if of == sku and (alias, at) in feeds and (alias, order) in still_open and not (net_of_all and placed <= until)
                # Its own shop has committed it where it really is.
                and not (provisional and alias == shop)
            )
            most = max(0, quantity - open_units)
            if level["available"] > most:
                self.broken.append(f"{sku} at {shop}/{number}: {level['available']} for sale, accepted {quantity} less {open_units} open")

    def writes(self) -> int:
        """Shopify's own log: every write compared, none below zero."""
        count = 0
        for shop in self.world.locations:
            summary = self.world.stack.shopify.control(f"shops/{shop}/summary")
            budget = self.world.stack.shopify.control(f"shops/{shop}/budget")
            assert summary["writes_without_compare"] == 0, f"{shop}: a write named no value to replace"
            assert budget["unprovoked_overruns"] == 0, f"{shop}: the budget of points was overrun: {budget['overruns'][:3]}"
            for entry in self.world.stack.shopify.control(f"shops/{shop}/history"):
                if entry["by"].startswith("api "):
                    count += 1
                    physical = BASES[SOURCE_OF[(shop, entry["location"])][0]] == "physical"
                    assert (entry["on_hand"] if physical else entry["to"]) >= 0, f"{shop}: a negative value was written: {entry}"
        return count

    def differences(self) -> list[str]:
        wrong = []
        for shop, ids in self.world.locations.items():
            shown = {(int(level["location"]), level["sku"]): level for level in self.world.stack.shopify.control(f"shops/{shop}/levels")}
            for (alias, number), place in SOURCE_OF.items():
                if alias != shop:
                    continue
                for sku in self.world.skus:
                    level = shown[(ids[number], sku)]
                    wanted = self.world.expected(shop, number, sku)
                    if (level["available"], level["on_hand"]) != wanted:
                        wrong.append(
                            f"{sku} at {shop}/{number} ({BASES[place[0]]}): shows {level['available']} of {level['on_hand']}, wanted {wanted[0]} of {wanted[1]}"
                        )
        return wrong

    def overshoot(self) -> str:
        some = [units for units in self.overshoots if units]
        return (
            f"{len(self.overshoots)} looks at {self.settled} settled pairs in {self.samples} samples; too much for sale for a moment: "
            f"{len(some)} times, {sum(some) / len(some) if some else 0:.1f} units on average, {max(some, default=0)} at most"
        )


def at_rest(world: World, seconds: float, clear: bool = True) -> None:
    """Waits until nothing is under way any more. The orders are all known then, so what fell without a cause is none."""
    stack = world.stack
    progress = Progress(stack)
    limit = time.monotonic() + seconds
    quiet = 0
    cleared = False
    while True:
        try:
            left = stack.postgres.query(
                "set search_path = inventory_sync; select (select count(*) from dirty) + (select count(*) from pairs where unsent or look or batch is not null)"
                " + (select count(*) from batches) + (select count(*) from orders where locate_due is not null) + (select count(*) from lookups where not unknown)"
            ).split()[-1]
            pending = sum(stack.shopify.control(f"shops/{shop}/webhooks/counts")["pending"] for shop in world.locations)
            services = [service for name, service in stack.services.items() if name.startswith("inventory-sync") and service.process.running()]
            # The metric of a process that has just started knows nothing yet.
            stored = stack.postgres.query("select coalesce(sum(next_offset), 0) from inventory_sync.batch_offsets where topic ~ '(inventory|orders|fulfillments)[.]v1$'")
            lag = sum(progress.end(topic) for topic in TOPICS) - int(stored)
            now = f"{left} to do, {pending} webhooks, {lag} records"
            quiet = quiet + 1 if left == "0" and pending == 0 and lag == 0 else 0
        except (OSError, StackError) as error:
            quiet, now = 0, str(error)
        if quiet >= 4:
            if not clear or cleared:
                return
            # The gap check has read every order.
            until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))
            for shop in world.locations:
                stack.admin(services[0], "/admin/stock/clear-pending", "POST", {"shop": shop, "until": until, "reason": "all orders are known"})
            cleared, quiet = True, 0
        if time.monotonic() > limit:
            raise AssertionError(f"it does not come to rest: {now}")
        time.sleep(0.4)
