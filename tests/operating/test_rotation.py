"""docs/operating/rotate-secrets.md: what is taken up live is rotated under load, and no request is refused."""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from page import Operator, Page
from stack import wait_until
from stock_flow import StockFlow
from support.flow import Flow, running

pytestmark = pytest.mark.flow

PAGE = Page("rotate-secrets")


@pytest.fixture(scope="module")
def flow() -> Iterator[Flow]:
    with running("rotation") as flow:
        yield flow


class Load:
    """Orders that keep coming; every answer that is not 200 is kept."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.orders: list = []
        self.refused: list[str] = []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._send, args=(shop,)) for shop in ("eu", "us")]

    def _send(self, shop: str) -> None:
        while not self.stopping.is_set():
            order = self.flow.order(shop)
            reply = self.flow.sender.post(self.flow.sender.order_webhook("orders/create", order))
            if reply.status == 200:
                self.orders.append(order)
            else:
                self.refused.append(f"{reply.status} {reply.text}")
            time.sleep(0.02)

    def __enter__(self) -> Load:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def goes_on(self, count: int = 40) -> None:
        """So many more are accepted."""
        target = len(self.orders) + count
        wait_until(lambda: len(self.orders) >= target or self.refused, 60, "orders come in")
        assert self.refused == []


def replace(path: Path, text: str) -> None:
    """As a ConfigMap or Secret is changed: at once, by a rename."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    os.replace(fresh, path)


def edited(path: Path, change) -> None:
    content = yaml.safe_load(path.read_text())
    change(content)
    replace(path, yaml.safe_dump(content, sort_keys=False))


def in_force(flow: Flow, service: str) -> list[int]:
    """pids: nothing was restarted."""
    return [flow.stack.services[service].process.pid]


def test_an_app_secret_is_rotated_with_two_valid_at_once(flow: Flow) -> None:
    stack = flow.stack
    operator = Operator(stack, INGRESS=flow.ingress.admin)
    shops, new = stack.folder / "config/shops.yaml", stack.folder / "secrets/shopify-eu-2"
    old_file = str(stack.folder / "secrets/shopify-eu")
    before = in_force(flow, "ingress")
    shop = flow.sender.shops["eu"]
    old_secret = shop.secret
    with Load(flow) as load:
        load.goes_on()
        new.write_text("the-next-secret-of-eu\n")
        edited(shops, lambda content: content["apps"]["app-eu"].update(secret_files=[old_file, str(new)]))
        assert "eu" in operator.follow(PAGE, "Shopify app secret")
        wait_until(lambda: accepted(flow, "the-next-secret-of-eu"), 30, "the new secret is valid beside the old one")
        load.goes_on()
        shop.secret = "the-next-secret-of-eu"  # Shopify changes over.
        load.goes_on()
        edited(shops, lambda content: content["apps"]["app-eu"].update(secret_files=[str(new)]))
        wait_until(lambda: not accepted(flow, old_secret), 30, "the old secret is no longer valid")
        load.goes_on()
    assert load.refused == [] and in_force(flow, "ingress") == before
    flow.exported(*load.orders, seconds=60)


def accepted(flow: Flow, secret: str) -> bool:
    webhook = flow.sender.webhook("eu", "products/update", {"id": 1})
    return flow.sender.post(webhook, X_Shopify_Hmac_Sha256=flow.sender.signature("eu", webhook.body, secret)).status == 200


def test_a_secret_is_rotated_in_its_file(flow: Flow) -> None:
    """Without a second file: the next request with the new one is accepted, whenever the file was looked at."""
    file = flow.stack.folder / "secrets/shopify-us"
    for number in range(3):
        secret = f"secret-number-{number}-of-us"
        replace(file, secret + "\n")
        flow.sender.shops["us"].secret = secret
        assert flow.sender.post(flow.sender.webhook("us", "products/update", {"id": 1})).status == 200


def test_the_key_of_a_stock_source_is_rotated_with_two_valid_at_once(flow: Flow) -> None:
    stack = flow.stack
    source = stack.stock_sources[0]
    push = StockFlow.push
    sources, new = stack.folder / "config/sources.yaml", stack.folder / "secrets/stock-next"
    old, old_file = source.secret, str(stack.folder / f"secrets/stock-{source.name}")

    class Pushing:
        def __init__(self) -> None:
            self.stack = stack

    def told() -> int:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return push(Pushing(), {"reports": [{"location": "MAIN", "sku": f"SKU-{next(numbers)}", "quantity": 1, "observed_at": at}]})

    numbers = itertools.count(1)
    assert told() == 202
    new.write_text("next-key-0123456789\n")
    edited(sources, lambda content: content["sources"][source.name].update(secret_files=[old_file, str(new)]))
    assert [told() for _ in range(20)] == [202] * 20
    source.secret = "next-key-0123456789"
    wait_until(lambda: told() == 202, 20, "the new key is valid")
    source.secret = old
    assert told() == 202
    source.secret = "next-key-0123456789"
    edited(sources, lambda content: content["sources"][source.name].update(secret_files=[str(new)]))
    assert [told() for _ in range(20)] == [202] * 20
    source.secret = old
    wait_until(lambda: told() == 401, 20, "the old key is no longer valid")
    source.secret = "next-key-0123456789"
    assert told() == 202


def test_admin_tokens_are_rotated(flow: Flow) -> None:
    stack = flow.stack
    file, old = stack.folder / "secrets/admin-token", stack.admin_token
    replace(file, f"local:{old}\nnext:0123456789abcdef0123\n")
    try:
        stack.admin_token = "0123456789abcdef0123"
        assert flow.admin("/admin/holds")["items"] == []
        replace(file, "next:0123456789abcdef0123\n")
        time.sleep(1.1)
        stack.admin_token = old
        with pytest.raises(OSError, match="401"):
            flow.admin("/admin/holds")
    finally:
        replace(file, f"local:{old}\n")
        stack.admin_token = old


def test_the_password_of_postgresql_is_rotated_under_load(flow: Flow) -> None:
    stack = flow.stack
    postgres = stack.postgres
    url_file = stack.folder / "secrets/postgres-url"
    operator = Operator(stack, NEW_PASSWORD="second")
    before = in_force(flow, "order-export/odoo-main/0")
    # As on a real server: a role of its own, and passwords that count.
    postgres.query("create role syncline login password 'first'", "postgres")
    for kind in ("schema", "all tables in schema", "all sequences in schema"):
        postgres.query(f"grant all on {kind} order_export to syncline")
    hba = postgres.data / "pg_hba.conf"
    hba.write_text("host all syncline 127.0.0.1/32 scram-sha-256\nhost all syncline_2 127.0.0.1/32 scram-sha-256\n" + hba.read_text())
    postgres.process.signal(signal.SIGHUP)

    def url(role: str, password: str) -> str:
        return f"postgresql://{role}:{password}@127.0.0.1:{postgres.port}/syncline\n"

    def connected(role: str) -> int:
        return int(postgres.query(f"select count(*) from pg_stat_activity where usename = '{role}'"))

    with Load(flow) as load:
        load.goes_on()
        replace(url_file, url("syncline", "first"))
        wait_until(lambda: connected("syncline") > 0, 20, "order-export is connected as its role")
        load.goes_on()
        operator.follow(PAGE, "PostgreSQL password", "CREATE ROLE")
        replace(url_file, url("syncline_2", "second"))
        wait_until(lambda: connected("syncline_2") > 0 and connected("syncline") == 0, 30, "order-export has changed over")
        operator.follow(PAGE, "PostgreSQL password", "PASSWORD NULL")
        load.goes_on()
    assert load.refused == [] and in_force(flow, "order-export/odoo-main/0") == before
    flow.exported(*load.orders, seconds=60)
    flow.settled(load.orders, seconds=60)
    assert flow.export.process.log.read_text().count("postgres_url_rotated") == 2
    replace(url_file, f"{postgres.url}\n")


def test_the_keys_of_the_erp_are_read_for_every_call(flow: Flow) -> None:
    file = flow.stack.folder / "secrets/odoo-main-api-key"
    replace(file, "a-key-nobody-knows\n")
    order = flow.order()
    flow.place(order)
    wait_until(lambda: flow.export.metric("syncline_circuit_open") == 1, 60, "the circuit opens")
    replace(file, "sandbox-key\n")
    flow.exported(order, seconds=60)
    Operator(flow.stack).follow(PAGE, "Odoo API key")

