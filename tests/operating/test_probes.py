"""Of every service: /livez is about the process, /readyz names what is missing, and an attack on the admin port keeps no figure back."""

from __future__ import annotations

import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from page import Operator, Page
from stack import Helpdesk, Stock, wait_until
from stack.stack import Service
from support.flow import Flow, running, start_what_ended

pytestmark = pytest.mark.flow

# Services that need PostgreSQL; ingress has none.
STATEFUL = ("order-export/odoo-main/0", "inventory-sync/0", "reconciliation/0", "order-status/0", "helpdesk-sync/0")
EVERY = ("ingress", *STATEFUL)


@pytest.fixture(scope="module")
def shared() -> Iterator[Flow]:
    with running("probes", stock=Stock(items=2, webhooks=()), helpdesk=Helpdesk()) as flow:
        assert set(flow.stack.services) == set(EVERY), "a service has no test of its probes"
        yield flow


@pytest.fixture
def flow(shared: Flow) -> Iterator[Flow]:
    whole(shared)
    yield shared
    whole(shared)


def whole(flow: Flow) -> None:
    start_what_ended(flow.stack)
    for service in flow.stack.services.values():
        flow.stack.wait_ready(service)


def probe(service: Service, path: str, seconds: float = 5) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://{service.admin}{path}", timeout=seconds) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def says(flow: Flow, name: str, what: str) -> bool:
    status, text = probe(flow.stack.services[name], "/readyz?verbose")
    return status == 503 and any(line.startswith("[-]") and what in line for line in text.splitlines())


def all_live(flow: Flow) -> None:
    for name in EVERY:
        service = flow.stack.services[name]
        assert service.process.running()
        assert probe(service, "/livez") == (200, "ok\n"), name
        assert probe(service, "/metrics")[0] == 200


def stays_live(flow: Flow, seconds: float) -> None:
    """A fault that ends a process or a loop does it with a delay."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        all_live(flow)
        time.sleep(0.5)


def test_postgresql_is_down(flow: Flow) -> None:
    flow.stack.postgres.process.kill()
    for name in STATEFUL:
        wait_until(lambda name=name: says(flow, name, "postgres_unavailable"), 60, f"/readyz of {name} names PostgreSQL", interval=0.3)
    stays_live(flow, 5)
    assert probe(flow.ingress, "/readyz")[0] == 200, "ingress needs no PostgreSQL"


def test_kafka_is_down(flow: Flow) -> None:
    # A producer that has sent nothing is connected to nobody, and a consumer's figures come every few seconds.
    flow.place(flow.order())
    wait_until(lambda: flow.ingress.metric("syncline_producer_brokers_up") > 0, 60, "ingress has seen a broker", interval=0.5)
    time.sleep(10)
    flow.stack.kafka.process.kill()
    for name in EVERY:
        wait_until(lambda name=name: says(flow, name, "kafka_unavailable"), 60, f"/readyz of {name} names Kafka", interval=0.3)
    stays_live(flow, 5)


def test_the_erp_is_down(flow: Flow) -> None:
    """Told, but no reason to take the instance away: another would not reach it either, and the admin port must be reached."""
    flow.stack.odoo["odoo-main"].kill()
    orders = [flow.order() for _ in range(6)]
    for order in orders:
        flow.place(order)

    def told() -> bool:
        status, text = probe(flow.export, "/readyz?verbose")
        return status == 200 and "[!] target failed: target_unavailable" in text

    wait_until(told, 60, "/readyz of order-export names the target", interval=0.3)
    stays_live(flow, 5)
    start_what_ended(flow.stack)
    flow.exported(*orders, seconds=90)
    wait_until(lambda: "target" not in probe(flow.export, "/readyz?verbose")[1], 30, "the target is back")


@pytest.mark.parametrize("missing", ["postgres", "kafka"])
def test_a_start_without_it_waits_and_says_so(flow: Flow, missing: str) -> None:
    stack = flow.stack
    for name in EVERY:
        stack.services[name].process.stop()
    (stack.postgres.process if missing == "postgres" else stack.kafka.process).kill()
    concerned = STATEFUL if missing == "postgres" else EVERY
    for name in concerned:
        stack.services[name].process.start()
    for name in concerned:
        service = stack.services[name]
        wait_until(lambda service=service: up(service), 30, f"{name} answers")
        wait_until(lambda name=name: says(flow, name, missing), 30, f"/readyz of {name} names {missing}", interval=0.3)
        assert probe(service, "/livez") == (200, "ok\n")


def up(service: Service) -> bool:
    try:
        return probe(service, "/livez")[0] == 200
    except OSError:
        return False


AGAIN_MAX = 20  # In each twentieth of a second.


class Attack:
    """Connections that say nothing, or begin a request and do not end it, more than the port admits; what the server closes is
    opened again, a few hundred each second."""

    def __init__(self, service: Service, idle: int = 500, begun: int = 200) -> None:
        host, port = service.admin.rsplit(":", 1)
        self.address = (host, int(port))
        self.wanted = [b""] * idle + [b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: "] * begun
        self.opened = 0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _open(self, first: bytes) -> socket.socket | None:
        try:
            connection = socket.create_connection(self.address, timeout=1)
            connection.sendall(first)
            connection.setblocking(False)
            self.opened += 1
            return connection
        except OSError:
            return None

    def _run(self) -> None:
        held = [self._open(first) for first in self.wanted]
        while not self.stopping.wait(0.05):
            again = 0
            for number, connection in enumerate(held):
                try:
                    closed = connection is None or connection.recv(4096) == b""
                except BlockingIOError:
                    closed = False
                except OSError:
                    closed = True
                if closed and again < AGAIN_MAX:
                    again += 1
                    if connection:
                        connection.close()
                    held[number] = self._open(self.wanted[number])
        for connection in held:
            if connection:
                connection.close()

    def __enter__(self) -> Attack:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self.thread.join()


def test_looks_of_the_page_about_scaling(flow: Flow) -> None:
    operator = Operator(flow.stack, GROUP="order-export.odoo-main.v1", ORDER_EXPORT=flow.export.admin)
    said = operator.follow(Page("scale"), "Before adding instances")
    assert "syncline.orders.v1" in said and "[+] processor ok" in said


@pytest.mark.parametrize("name", EVERY)
def test_figures_are_served_under_idle_connections(flow: Flow, name: str) -> None:
    service = flow.stack.services[name]
    with Attack(service) as attack:
        wait_until(lambda: attack.opened >= 500, 30, "the attack has its connections")
        for _ in range(10):
            for path in ("/livez", "/readyz", "/metrics"):
                began = time.monotonic()
                status, text = probe(service, path, 10)
                assert status == 200 and text, (path, status)
                assert time.monotonic() - began < 5, f"{path} took {time.monotonic() - began:.1f} s"
            time.sleep(0.2)
    assert flow.admin("/admin/holds")["items"] == []
