"""Slow headers, slow bodies, no body, bad lengths, chunk garbage, pipelining, idle connections: other clients are served."""

import resource
import socket
import time

import pytest
from stack import wait_until


class Raw:
    """A bare connection to ingress."""

    def __init__(self, flow, timeout: float = 15) -> None:
        self.socket = socket.create_connection((flow.sender.host, flow.sender.port), timeout=timeout)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> bytes:
        """Everything until the server closes."""
        received = b""
        try:
            while piece := self.socket.recv(65536):
                received += piece
        except (TimeoutError, ConnectionError):
            pass
        return received

    def closed_within(self, seconds: float) -> bool:
        self.socket.settimeout(seconds)
        try:
            while self.socket.recv(65536):
                pass
            return True
        except TimeoutError:
            return False
        except ConnectionError:
            return True

    def close(self) -> None:
        self.socket.close()


def head(flow, webhook, **more: str) -> bytes:
    headers = {"Host": "x", **flow.sender.headers(webhook), **more}
    return ("POST /webhooks/shopify HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n").encode()


def served(flow) -> float:
    """Seconds a good request takes."""
    start = time.monotonic()
    assert flow.sender.post(flow.sender.webhook("eu", "products/update", {"id": 1})).status == 200
    return time.monotonic() - start


@pytest.fixture
def quick_ingress(flow):
    """Others must be served while and after the test."""
    yield
    assert served(flow) < 2 and flow.ingress.ready()


def test_slow_headers_harm_nobody(flow, quick_ingress):
    slow = [Raw(flow) for _ in range(50)]
    for connection in slow:
        connection.send(b"POST /webhooks/shopify HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    for _ in range(10):
        for connection in slow:
            try:
                connection.send(b"a")
            except ConnectionError:
                pass
        assert served(flow) < 2
    for connection in slow:
        connection.close()


def test_slow_headers_are_cut_off(flow, quick_ingress):
    slow = Raw(flow)
    slow.send(b"POST /webhooks/shopify HTTP/1.1\r\n")
    assert slow.closed_within(20)


def test_slow_bodies_harm_nobody(flow, quick_ingress):
    webhook = flow.sender.order_webhook("orders/create", flow.order())
    slow = [Raw(flow) for _ in range(50)]
    for connection in slow:
        connection.send(head(flow, webhook, **{"Content-Length": str(len(webhook.body))}))
        connection.send(webhook.body[:100])
    for _ in range(10):
        assert served(flow) < 2
    for connection in slow:
        connection.close()


@pytest.mark.parametrize("length", ["-1", "abc", "1, 2", "99999999999999999999", "0x10"])
def test_bad_lengths_are_refused(flow, quick_ingress, length):
    webhook = flow.sender.order_webhook("orders/create", flow.order())
    connection = Raw(flow)
    connection.send(head(flow, webhook, **{"Content-Length": length}))
    answer = connection.answer()
    assert answer == b"" or answer.split(b" ", 2)[1] in (b"400", b"413"), answer[:100]
    connection.close()


@pytest.mark.parametrize("chunks", [b"zz\r\nabc\r\n0\r\n\r\n", b"-5\r\nabc\r\n", b"ffffffffffffffff\r\n", b"3\r\nabcdef\r\n0\r\n\r\n"])
def test_chunk_garbage_is_refused(flow, quick_ingress, chunks):
    webhook = flow.sender.order_webhook("orders/create", flow.order())
    connection = Raw(flow)
    connection.send(head(flow, webhook, **{"Transfer-Encoding": "chunked"}) + chunks)
    answer = connection.answer()
    assert answer == b"" or answer.split(b" ", 2)[1] in (b"400", b"413", b"401"), answer[:100]
    connection.close()


def test_a_chunked_body_is_taken(flow, quick_ingress):
    order = flow.order()
    webhook = flow.sender.order_webhook("orders/create", order)
    connection = Raw(flow)
    half = len(webhook.body) // 2
    chunked = b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in (webhook.body[:half], webhook.body[half:])) + b"0\r\n\r\n"
    connection.send(head(flow, webhook, **{"Transfer-Encoding": "chunked", "Connection": "close"}) + chunked)
    assert connection.answer().split(b" ", 2)[1] == b"200"
    flow.exported(order)
    flow.settled([order], skipped={})


def test_pipelined_requests_are_each_answered_or_the_connection_is_closed(flow, quick_ingress):
    orders = [flow.order() for _ in range(5)]
    webhooks = [flow.sender.order_webhook("orders/create", order) for order in orders]
    connection = Raw(flow, timeout=10)
    connection.send(
        b"".join(
            head(flow, webhook, **{"Content-Length": str(len(webhook.body)), **({"Connection": "close"} if webhook is webhooks[-1] else {})}) + webhook.body
            for webhook in webhooks
        )
    )
    answered = connection.answer().count(b"HTTP/1.1 200")
    assert answered >= 1
    flow.exported(*orders[:answered])
    for webhook in webhooks[answered:]:
        flow.sender.deliver(webhook)
    flow.exported(*orders)


def test_expect_100_continue_is_answered(flow, quick_ingress):
    order = flow.order()
    webhook = flow.sender.order_webhook("orders/create", order)
    connection = Raw(flow, timeout=5)
    connection.send(head(flow, webhook, **{"Content-Length": str(len(webhook.body)), "Expect": "100-continue", "Connection": "close"}))
    assert b"100" in connection.socket.recv(200)
    connection.send(webhook.body)
    assert b" 200 " in connection.answer()


def test_5000_idle_connections_leave_room_for_others_and_memory_bounded(flow, quick_ingress):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 5000
    if hard != resource.RLIM_INFINITY and hard < wanted + 500:
        pytest.skip(f"the limit of open files is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted + 500), hard))
    before = resident_bytes(flow.ingress.process.pid)
    idle = [socket.create_connection((flow.sender.host, flow.sender.port), timeout=10) for _ in range(wanted)]
    try:
        wait_until(lambda: served(flow) < 2, 10, "a good request is answered")
        # 64 KiB of read buffer each would be 320 MB: a connection that sent nothing must not have one of its own for long.
        assert resident_bytes(flow.ingress.process.pid) - before < 450 * 1024 * 1024
    finally:
        for connection in idle:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def resident_bytes(pid: int) -> int:
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()
