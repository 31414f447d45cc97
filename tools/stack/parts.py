"""What a stack is made of, as values: shops, sources of stock, connections, running services."""

from __future__ import annotations

import secrets
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field

from .process import Process


@dataclass
class Shop:
    """A shop of the local stack; its secret is made anew for each stack."""

    alias: str
    domain: str = ""
    currency: str = "EUR"
    timezone: str = "Europe/Paris"
    secret: str = ""

    def __post_init__(self) -> None:
        self.domain = self.domain or f"{self.alias}-store.myshopify.com"
        self.secret = self.secret or secrets.token_hex(16)


def usual_shops() -> list[Shop]:
    return [Shop("eu"), Shop("us", currency="USD", timezone="America/New_York")]


@dataclass
class StockSource:
    """A source that pushes stock to ingress; its secret is made anew for each stack."""

    name: str
    proof: str = "api_key"
    basis: str = "physical"
    secret: str = ""

    def __post_init__(self) -> None:
        self.secret = self.secret or secrets.token_hex(16)


@dataclass
class Connection:
    """A target of order-export: the sandbox Odoo unless `target` names another (url, database, login, api_key)."""

    name: str = "odoo-main"
    target: Mapping[str, str] | None = None
    version: str = "19.0"
    latency_ms: int = 0
    instances: int = 1
    mapping: str = ""  # YAML text; empty: deploy/local/mappings/odoo-main.yaml.
    settings: Mapping[str, object] = field(default_factory=dict)  # Further keys of order-export's configuration.


@dataclass
class Service:
    """A running service process and its admin door."""

    process: Process
    admin: str  # host:port
    name: str
    connection: str = ""

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.admin}/readyz", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def metrics(self) -> str:
        with urllib.request.urlopen(f"http://{self.admin}/metrics", timeout=5) as answer:
            return answer.read().decode()

    def metric(self, name: str, **labels: str) -> float:
        """Sum over the series of that name whose labels include the given ones; 0 when there is none."""
        total = 0.0
        for line in self.metrics().splitlines():
            if line.startswith(name) and line[len(name) : len(name) + 1] in "{ ":
                if all(f'{key}="{value}"' in line for key, value in labels.items()):
                    total += float(line.rsplit(" ", 1)[1])
        return total
