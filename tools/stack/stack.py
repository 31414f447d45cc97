"""The whole local stack in one object: what runs where, and the handles to break it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from . import helpdesk as desk
from .helpdesk import Helpdesk, ZendeskSandbox
from .kafka import Kafka
from .parts import Connection, Service, Shop, StockSource, usual_shops
from .paths import ROOT
from .postgres import Postgres
from .process import Process, StackError, free_port, wait_until
from .prometheus import Prometheus
from .stock import TOKEN, ShopifySandbox, Stock, Warehouse, default_mapping


class Stack:
    """Starts everything in `folder`, on free ports. A context manager: leaving it stops what it started.

    Handles: kafka, postgres, prometheus, odoo[<connection>] (Process), services["ingress"], services["order-export/<connection>/<n>"].
    Every Process can kill(), stop(), pause(), resume() and start(); restart(service) waits until it is ready again.
    """

    def __init__(
        self,
        folder: Path,
        *,
        build: Path | None = None,
        shops: Sequence[Shop] | None = None,
        connections: Sequence[Connection] | None = None,
        prometheus: bool = False,
        detached: bool = False,
        ingress_settings: Mapping[str, object] | None = None,
        log_level: str = "info",
        stock: Stock | None = None,
        helpdesk: Helpdesk | None = None,
        long_lived: bool = False,
    ) -> None:
        self.folder = folder.resolve()
        self.bin = (build or Path(os.environ.get("SYNCLINE_BUILD", ROOT / "build/dev"))).resolve() / "bin"
        self.shops = list(shops) if shops is not None else usual_shops()
        self.stock_sources = [StockSource("wms-north"), StockSource("erp-stock", proof="hmac", basis="net_of_own"), StockSource("till", basis="net_of_all")]
        self.connections = list(connections) if connections is not None else [Connection()]
        self.detached = detached
        self.log_level = log_level
        self.with_prometheus = prometheus
        self.ingress_settings = dict(ingress_settings or {})
        self.admin_token = secrets.token_hex(16)
        self.kafka = Kafka(self.folder / "kafka", detached=detached, long_lived=long_lived)
        self.postgres = Postgres(self.folder / "postgres", detached=detached)
        self.prometheus: Prometheus | None = None
        self.stock = stock
        self.helpdesk = helpdesk
        self.zendesk: ZendeskSandbox | None = None  # With a help desk only.
        self.shopify: ShopifySandbox | None = None  # With stock only, as the warehouse.
        self.warehouse: Warehouse | None = None
        self.odoo: dict[str, Process] = {}
        self.odoo_ports: dict[str, int] = {}
        self.services: dict[str, Service] = {}
        self.ingress_port = free_port()

    # Where things are.

    @property
    def ingress_url(self) -> str:
        return f"http://127.0.0.1:{self.ingress_port}"

    def odoo_url(self, connection: str = "odoo-main") -> str:
        return f"http://127.0.0.1:{self.odoo_ports[connection]}"

    @property
    def targets_file(self) -> Path:
        """What synclinectl reads."""
        return self.folder / "targets.yaml"

    @property
    def stock_shops(self) -> list[Shop]:
        """The shops whose Admin API is played."""
        return [shop for shop in self.shops if self.stock and (not self.stock.shops or shop.alias in self.stock.shops)]

    # Life.

    def __enter__(self) -> Stack:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, say=lambda text: None) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        say("starting Kafka, PostgreSQL and the sandbox systems")
        self.kafka.start()
        self.postgres.start()
        for connection in self.connections:
            if connection.target is None:
                self._start_odoo(connection)
        if self.stock:
            self.shopify = ShopifySandbox(self.folder / "shopify", self.stock, self.stock_shops, f"{self.ingress_url}/webhooks/shopify", detached=self.detached)
            self.shopify.start()
        if self.helpdesk:
            self.zendesk = ZendeskSandbox(self.folder / "zendesk", detached=self.detached)
            self.zendesk.start()
        self.postgres.wait_ready()
        self.kafka.wait_ready()
        self._write_configuration()
        self.kafka.create_topics()
        say("starting the services")
        self._add_service("ingress", "ingress", self.folder / "config/ingress.yaml")
        for connection in self.connections:
            for number in range(connection.instances):
                self.add_export(connection, number)
        if self.stock:
            self._start_stock(self.stock)
        if self.helpdesk:
            self.zendesk.wait_ready()
            for number in range(self.helpdesk.instances):
                self.add_helpdesk(number)
        for service in list(self.services.values()):
            self.wait_ready(service)
        self._write_targets()
        if self.with_prometheus:
            say("starting Prometheus")
            self.prometheus = Prometheus(
                self.folder / "prometheus",
                {name: service.admin for name, service in self.services.items()},
                sorted((ROOT / "helm/syncline/files/rules").glob("*.yaml")),
                detached=self.detached,
            )
            self.prometheus.start()
            self.prometheus.wait_ready()
        self._write_environment()

    def stop(self) -> None:
        """Stops in the order of the flow, so that the services drain. Never leaves a process behind."""
        for service in self.services.values():
            service.process.stop()
        processes = [*self._sandboxes(), *self.odoo.values(), self.kafka.process, self.postgres.process]
        if self.prometheus:
            processes.append(self.prometheus.process)
        for process in processes:
            process.stop()

    def processes(self) -> list[Process]:
        found = [self.kafka.process, self.postgres.process, *self._sandboxes(), *self.odoo.values(), *(service.process for service in self.services.values())]
        return found + ([self.prometheus.process] if self.prometheus else [])

    # Parts.

    def _sandboxes(self) -> list[Process]:
        return [sandbox.process for sandbox in (self.warehouse, self.shopify, self.zendesk) if sandbox]

    def _start_stock(self, stock: Stock) -> None:
        """The warehouse tells ingress what it has, inventory-sync tells Shopify what may be sold of it."""
        self.shopify.wait_ready()
        mapping = stock.mapping(self) if callable(stock.mapping) else stock.mapping or default_mapping(self.shopify, [shop.alias for shop in self.stock_shops])
        (self.folder / "config/mappings" / f"{stock.name}.yaml").write_text(mapping)
        for number in range(stock.instances):
            self.add_inventory_sync(number)
        for number in range(stock.reconciliation):
            self.add_reconciliation(number)
        for number in range(stock.order_status):
            self.add_order_status(number)
        source = self.stock_sources[0].name
        self.warehouse = Warehouse(
            self.folder / "warehouse", source, f"{self.ingress_url}/stock/{source}", self.folder / "secrets" / f"stock-{source}", detached=self.detached
        )
        self.warehouse.start()
        self.warehouse.wait_ready()

    def add_inventory_sync(self, number: int) -> Service:
        """One more instance of inventory-sync."""
        settings = self._kit_settings(free_port())
        settings.update(
            {
                "name": self.stock.name,
                "shops_file": str(self.folder / "config/shops.yaml"),
                "mappings_dir": str(self.folder / "config/mappings"),
            }
        )
        path = self.folder / "config" / f"inventory-sync-{number}.yaml"
        write_yaml(path, merged(settings, self.stock.settings))
        return self._add_service(f"inventory-sync/{number}", "inventory-sync", path)

    def add_reconciliation(self, number: int) -> Service:
        """One more instance of reconciliation; it heals by itself, as a local stack has nobody to ask."""
        spill = self.folder / "spill"
        spill.mkdir(parents=True, exist_ok=True)
        settings = self._kit_settings(free_port())
        settings.update(
            {
                "name": "main",
                "shops_file": str(self.folder / "config/shops.yaml"),
                "mappings_dir": str(self.folder / "config/mappings"),
                "stock": {
                    "mapping": self.stock.name,
                    "inventory_sync": {
                        "urls": [f"http://{service.admin}" for name, service in self.services.items() if name.startswith("inventory-sync/")],
                        "token_file": str(self.folder / "secrets/admin-token"),
                    },
                    "spill_folder": str(spill),
                    "healing": "correct",
                },
            }
        )
        path = self.folder / "config" / f"reconciliation-{number}.yaml"
        write_yaml(path, merged(settings, self.stock.reconciliation_settings))
        return self._add_service(f"reconciliation/{number}", "reconciliation", path)

    def add_order_status(self, number: int) -> Service:
        """One more instance of order-status, which tells Shopify what became of orders."""
        settings = self._kit_settings(free_port())
        settings.update({"shops_file": str(self.folder / "config/shops.yaml"), "tags": {"exported": "syncline-exported"}})
        path = self.folder / "config" / f"order-status-{number}.yaml"
        write_yaml(path, merged(settings, self.stock.order_status_settings))
        return self._add_service(f"order-status/{number}", "order-status", path)

    def add_helpdesk(self, number: int) -> Service:
        """One more instance of helpdesk-sync, which makes tickets of what does not arrive."""
        settings = self._kit_settings(free_port())
        settings.update({"postgres": {"url": self.postgres.url}, **desk.settings(self.zendesk, self.folder / "secrets/zendesk-token", self.helpdesk.name)})
        path = self.folder / "config" / f"helpdesk-sync-{number}.yaml"
        write_yaml(path, merged(settings, self.helpdesk.settings))
        return self._add_service(f"helpdesk-sync/{number}", "helpdesk-sync", path)

    def _start_odoo(self, connection: Connection) -> None:
        port = free_port()
        folder = self.folder / "odoo" / connection.name
        folder.mkdir(parents=True, exist_ok=True)
        self.odoo_ports[connection.name] = port
        catalogue: list[str] = []
        if self.stock:
            (folder / "catalogue.json").write_text(json.dumps({"products": self.stock.products()}))
            catalogue = ["--catalogue", str(folder / "catalogue.json")]
        self.odoo[connection.name] = Process(
            f"sandbox-odoo {connection.name}",
            [
                shutil.which("node") or "node",
                str(ROOT / "tools/sandbox/odoo/main.mjs"),
                *("--port", str(port), "--version", connection.version, "--latency-ms", str(connection.latency_ms)),
                *("--state", str(folder / "state.jsonl")),
                *catalogue,
            ],
            folder / "odoo.log",
            detached=self.detached,
        ).start()

    def wait_odoo(self, connection: str = "odoo-main") -> None:
        url = f"{self.odoo_url(connection)}/web/version"

        def ready() -> bool:
            if not self.odoo[connection].running():
                raise StackError(f"the sandbox Odoo ended at start:\n{self.odoo[connection].tail()}")
            try:
                with urllib.request.urlopen(url, timeout=2) as answer:
                    return answer.status == 200
            except urllib.error.HTTPError:
                return True
            except OSError:
                return False

        wait_until(ready, 20, f"the sandbox Odoo answers on {url} (log: {self.odoo[connection].log})")

    def _kit_settings(self, admin_port: int, *, state: bool = True) -> dict[str, object]:
        return {
            "kafka": {"brokers": self.kafka.brokers},
            **({"postgres": {"url_file": str(self.folder / "secrets/postgres-url")}} if state else {}),
            "admin": {"listen": f"127.0.0.1:{admin_port}", "token_file": str(self.folder / "secrets/admin-token")},
            "log": {"level": self.log_level},
        }

    def _write_configuration(self) -> None:
        config = self.folder / "config"
        vault = self.folder / "secrets"
        for path in (config / "mappings", vault):
            path.mkdir(parents=True, exist_ok=True)
        (vault / "postgres-url").write_text(f"{self.postgres.url}\n")
        (vault / "admin-token").write_text(f"local:{self.admin_token}\n")
        # The same in every run: a restarted stack must find the guests it has made.
        (vault / "contact-key").write_text("key of the local stack\n")
        apps = {}
        for shop in self.shops:
            (vault / f"shopify-{shop.alias}").write_text(shop.secret + "\n")
            apps[f"app-{shop.alias}"] = {"secret_files": [str(vault / f"shopify-{shop.alias}")]}
        shops = {
            shop.alias: {"domain": shop.domain, "app": f"app-{shop.alias}", "currency": shop.currency, "timezone": shop.timezone} for shop in self.shops
        }
        if self.shopify:
            (vault / "shopify-token").write_text(TOKEN + "\n")
            for shop in self.stock_shops:
                shops[shop.alias]["admin"] = {"url": self.shopify.url(shop.alias), "token_file": str(vault / "shopify-token")}
        write_yaml(config / "shops.yaml", {"apps": apps, "shops": shops})
        for source in self.stock_sources:
            (vault / f"stock-{source.name}").write_text(source.secret + "\n")
        write_yaml(
            config / "sources.yaml",
            {
                "sources": {
                    source.name: {"proof": source.proof, "basis": source.basis, "secret_files": [str(vault / f"stock-{source.name}")]}
                    for source in self.stock_sources
                }
            },
        )
        ingress = self._kit_settings(free_port(), state=False)
        ingress.update({"listen": f"127.0.0.1:{self.ingress_port}", "shops_file": str(config / "shops.yaml")})
        ingress["stock"] = {"sources_file": str(config / "sources.yaml")}
        write_yaml(config / "ingress.yaml", merged(ingress, self.ingress_settings))
        example = (ROOT / "deploy/local/mappings/odoo-main.yaml").read_text()
        for connection in self.connections:
            (config / "mappings" / f"{connection.name}.yaml").write_text(connection.mapping or example)
            (vault / f"{connection.name}-api-key").write_text((connection.target or {}).get("api_key", "sandbox-key") + "\n")

    def mapping_file(self, connection: str = "odoo-main") -> Path:
        return self.folder / "config/mappings" / f"{connection}.yaml"

    def add_export(self, connection: Connection, number: int) -> Service:
        """One more instance of order-export for a connection."""
        target = connection.target or {"url": self.odoo_url(connection.name), "database": "sandbox", "login": "syncline"}
        settings = self._kit_settings(free_port())
        settings.update(
            {
                "connection": connection.name,
                "shops_file": str(self.folder / "config/shops.yaml"),
                "mappings_dir": str(self.folder / "config/mappings"),
                "contact_key_file": str(self.folder / "secrets/contact-key"),
                "target": {
                    "url": target["url"],
                    "database": target.get("database", ""),
                    "login": target.get("login", ""),
                    "api_key_file": str(self.folder / "secrets" / f"{connection.name}-api-key"),
                },
            }
        )
        if self.stock:
            # Somebody is there to hear what people do in the ERP, and a local stack should not wait a minute for it.
            settings["documents"] = {"poll": "2s", "holds_quiet": "5s"}
        name = f"order-export/{connection.name}/{number}"
        path = self.folder / "config" / f"order-export-{connection.name}-{number}.yaml"
        write_yaml(path, merged(settings, connection.settings))
        if connection.name in self.odoo:
            self.wait_odoo(connection.name)
        return self._add_service(name, "order-export", path, connection.name)

    def _add_service(self, name: str, binary: str, config: Path, connection: str = "") -> Service:
        admin = yaml.safe_load(config.read_text())["admin"]["listen"]
        process = Process(name, [str(self.bin / binary), "--config", str(config)], self.folder / "logs" / f"{name.replace('/', '-')}.log", detached=self.detached)
        self.services[name] = Service(process.start(), admin, name, connection)
        return self.services[name]

    def wait_ready(self, service: Service, seconds: float = 60) -> None:
        def ready() -> bool:
            if not service.process.running():
                raise StackError(f"{service.name} ended with {service.process.exit_code()}:\n{service.process.tail()}")
            return service.ready()

        wait_until(ready, seconds, f"{service.name} is ready (http://{service.admin}/readyz?verbose, log: {service.process.log})")

    def restart(self, name: str, extra_env: Mapping[str, str] | None = None) -> Service:
        """Starts a service that was killed or stopped and waits until it is ready."""
        service = self.services[name]
        service.process.start(extra_env)
        self.wait_ready(service)
        return service

    def exports(self, connection: str | None = None) -> list[Service]:
        return [service for service in self.services.values() if service.connection and connection in (None, service.connection)]

    # What others read.

    def admin(self, service: Service, path: str, method: str = "GET", body: object = None) -> object:
        """A request to a service's admin door; the JSON of its answer."""
        request = urllib.request.Request(
            f"http://{service.admin}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.admin_token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def _write_targets(self) -> None:
        services = [
            {"name": service.name.split("/")[0], "connection": service.connection, "admin": f"http://{service.admin}"} for service in self.services.values()
        ]
        write_yaml(
            self.targets_file,
            {"token_file": str(self.folder / "secrets/admin-token"), "kafka": {"brokers": self.kafka.brokers, "prefix": "syncline"}, "services": services},
        )

    def _write_environment(self) -> None:
        values = {
            "SYNCLINE_INGRESS_URL": self.ingress_url,
            "SYNCLINE_KAFKA_BROKERS": self.kafka.brokers,
            "SYNCLINE_POSTGRES_URL": self.postgres.url,
            "SYNCLINE_TARGETS": str(self.targets_file),
            "SYNCLINE_ADMIN_TOKEN_FILE": str(self.folder / "secrets/admin-token"),
        }
        if self.prometheus:
            values["SYNCLINE_PROMETHEUS_URL"] = self.prometheus.url
        for shop in self.shops:
            suffix = shop.alias.upper().replace("-", "_")
            values[f"SYNCLINE_SHOPIFY_SHOP_{suffix}"] = shop.domain
            values[f"SYNCLINE_SHOPIFY_SECRET_{suffix}"] = shop.secret
        for source in self.stock_sources:
            values[f"SYNCLINE_STOCK_SECRET_{source.name.upper().replace('-', '_')}"] = source.secret
        if self.shopify:
            values["SYNCLINE_SHOPIFY_SANDBOX_URL"] = self.shopify.control_url
            values["SYNCLINE_WAREHOUSE_SANDBOX_URL"] = self.warehouse.control_url
        if self.zendesk:
            values["SYNCLINE_ZENDESK_URL"] = self.zendesk.url
            values["SYNCLINE_ZENDESK_SANDBOX_URL"] = self.zendesk.control_url
        for name in self.odoo:
            values[f"SYNCLINE_{name.upper().replace('-', '_')}_URL"] = self.odoo_url(name)
        if "odoo-main" in self.odoo:
            values["SYNCLINE_ODOO_SANDBOX_URL"] = self.odoo_url("odoo-main")
        for name, service in self.services.items():
            values[f"SYNCLINE_ADMIN_{name.upper().replace('-', '_').replace('/', '_')}"] = f"http://{service.admin}"
        (self.folder / "stack.env").write_text("".join(f"{key}={value}\n" for key, value in values.items()))


def write_yaml(path: Path, value: object) -> None:
    path.write_text(yaml.safe_dump(value, sort_keys=False))


def merged(base: Mapping[str, object], over: Mapping[str, object]) -> dict[str, object]:
    result = dict(base)
    for key, value in over.items():
        known = result.get(key)
        result[key] = merged(known, value) if isinstance(known, Mapping) and isinstance(value, Mapping) else value
    return result


__all__ = ["Connection", "Service", "Shop", "Stack", "merged", "usual_shops"]
