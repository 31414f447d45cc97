"""The parts of a stack that keep stock true: Shopify's Admin API and a warehouse as sandboxes, inventory-sync."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .paths import ROOT
from .process import Process, StackError, free_port, wait_until

TOKEN = "shpat_sandbox"


@dataclass
class Stock:
    """What to start: give it to Stack. Every shop has the same items and locations."""

    name: str = "stock-main"
    shops: Sequence[str] = ()  # Aliases of the shops whose Admin API is played; empty: all of the stack.
    mapping: str | Callable[[Any], str] = ""  # YAML text, or what makes it of the Stack once locations have ids; empty: default_mapping().
    locations: Sequence[str] = ("Main", "Second")  # Of every shop, the first is the priority.
    items: int = 20  # SKU-0000001 …
    quantity: int = 0
    plan: str = "plus"
    webhooks: Sequence[str] = ("inventory_levels/update", "orders/create", "orders/updated", "fulfillments/create")
    instances: int = 1
    settings: Mapping[str, object] = field(default_factory=dict)  # Further keys of inventory-sync.
    reconciliation: int = 1  # Instances.
    reconciliation_settings: Mapping[str, object] = field(default_factory=dict)  # Further keys of reconciliation.
    order_status: int = 1  # Instances.
    order_status_settings: Mapping[str, object] = field(default_factory=dict)  # Further keys of order-status.

    def products(self) -> list[dict[str, object]]:
        """What the shops sell, for the catalogue of the sandbox ERP: an order of what it does not know is held for product:<SKU>."""
        return [{"sku": f"SKU-{number:07d}", "name": f"Product {number}", "price": 10} for number in range(1, self.items + 1)]


class Sandbox:
    """A sandbox in Node with a control door, started once; its address survives a restart."""

    def __init__(self, name: str, folder: Path, script: str, arguments: Sequence[str], *, detached: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.process = Process(name, [shutil.which("node") or "node", str(ROOT / script), *arguments], folder / f"{name}.log", detached=detached)
        self.control_url = ""

    def start(self) -> None:
        self.process.start()

    def control(self, path: str, method: str = "GET", body: Any = None) -> Any:
        """A request to the control door: GET _sandbox/ lists what there is."""
        request = urllib.request.Request(
            f"{self.control_url}/_sandbox/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def wait_ready(self) -> None:
        def ready() -> bool:
            if not self.process.running():
                raise StackError(f"{self.process.name} ended at start:\n{self.process.tail()}")
            try:
                return bool(self.control("health")["ready"])
            except OSError:
                return False

        wait_until(ready, 30, f"{self.process.name} answers on {self.control_url} (log: {self.process.log})")


class ShopifySandbox(Sandbox):
    """One process for all shops of a stack; `url(alias)` is what shops.yaml names as admin.url."""

    def __init__(self, folder: Path, stock: Stock, shops: Sequence[Any], webhooks_to: str, *, detached: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        control_port = free_port()
        self.ports = {shop.alias: free_port() for shop in shops}
        shops_file = folder / "shops.json"
        shops_file.write_text(
            json.dumps(
                [
                    {
                        "domain": shop.domain,
                        "alias": shop.alias,
                        "port": self.ports[shop.alias],
                        "currency": shop.currency,
                        "timezone": shop.timezone,
                        "plan": stock.plan,
                        "tokens": [TOKEN],
                        "webhook_secret": shop.secret,
                        "locations": [{"name": name, "priority": number} for number, name in enumerate(stock.locations)],
                        "webhooks": {"address": webhooks_to, "topics": list(stock.webhooks)},
                        "seed": number + 1,
                    }
                    for number, shop in enumerate(shops)
                ]
            )
        )
        arguments = ["--shops", str(shops_file), "--control-port", str(control_port)]
        arguments += ["--items", str(stock.items), "--quantity", str(stock.quantity)]
        super().__init__("sandbox-shopify", folder, "tools/sandbox/shopify/main.mjs", arguments, detached=detached)
        self.control_url = f"http://127.0.0.1:{control_port}"

    def url(self, alias: str) -> str:
        return f"http://127.0.0.1:{self.ports[alias]}"


class Warehouse(Sandbox):
    """A warehouse that pushes its levels to one source of ingress."""

    def __init__(self, folder: Path, source: str, url: str, key_file: Path, *, detached: bool) -> None:
        port = free_port()
        arguments = ["--name", source, "--url", url, "--api-key-file", str(key_file), "--port", str(port)]
        super().__init__("sandbox-wms", folder, "tools/sandbox/wms/main.mjs", arguments, detached=detached)
        self.control_url = f"http://127.0.0.1:{port}"


def default_mapping(shopify: ShopifySandbox, shops: Sequence[str]) -> str:
    """inventory-sync's mapping for the sandboxes: every shop's first location is fed by the warehouse, the second by the ERP's stock."""
    feeds = [{"source": "wms-north", "location": "MAIN"}, {"source": "erp-stock", "location": "WH/Stock"}]
    mapping = {
        "sources": {"wms-north": {"basis": "physical", "units": {"box": 12}}, "erp-stock": {"basis": "net_of_own"}},
        "shops": {
            alias: {
                "locations": [
                    {"id": int(location["id"]), "from": [feed]}
                    for location, feed in zip(shopify.control(f"shops/{alias}/summary")["locations"], feeds, strict=False)
                ]
            }
            for alias in shops
        },
        "ignored": [{"source": "wms-north", "location": "QUARANTINE"}],
    }
    return yaml.safe_dump(mapping, sort_keys=False)
