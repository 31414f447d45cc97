"""Bodies that nobody should send: a clear error or a correct order, a healthy service, and a count."""

import json

import pytest
from stack import wait_until
from support.orders import Line
from support.settled import Progress


def deep(flow) -> bytes:
    return b"[" * 200_000


def altered(change):
    def make(flow) -> bytes:
        body = flow.order().body()
        change(body)
        return json.dumps(body).encode()

    return make


def text_altered(old: bytes, new: bytes):
    def make(flow) -> bytes:
        order = flow.order()
        raw = json.dumps(order.body(), separators=(",", ":")).encode()
        assert old in raw
        return raw.replace(old, new, 1)

    return make


UNMAPPABLE = {
    "malformed JSON": lambda flow: b'{"id": 1, "line_items": [',
    "not JSON at all": lambda flow: b"hello",
    "no body": lambda flow: b"",
    "an array": lambda flow: b"[1, 2, 3]",
    "200 KB of [": deep,
    "an id that is text": altered(lambda body: body.update(id="one")),
    "line_items that is an object": altered(lambda body: body.update(line_items={})),
    "no id": altered(lambda body: body.pop("id")),
    "no updated_at": altered(lambda body: body.pop("updated_at")),
    "a negative id": altered(lambda body: body.update(id=-5)),
    "an id above 2^64": text_altered(b'{"id":', b'{"id":99999999999999999999999, "was":'),
    "a number 1e400": text_altered(b'"current_quantity":1', b'"current_quantity":1e400'),
    "an amount that is no number": text_altered(b'"amount":"10.00"', b'"amount":"ten"'),
    "invalid UTF-8": text_altered(b"A product", b"A \xff\xfe product"),
    "half a surrogate": text_altered(b"A product", b"\\ud800 product"),
    "the id twice": text_altered(b'{"id":', b'{"id":1,"id":'),
}


@pytest.mark.parametrize("name", UNMAPPABLE)
def test_what_cannot_be_mapped_is_a_dead_letter_answered_200(flow, name):
    letters, orders = Progress(flow.stack).end("syncline.dead-letters.v1"), Progress(flow.stack).end()
    reply = flow.sender.post(flow.sender.webhook("eu", "orders/create", UNMAPPABLE[name](flow)))
    assert reply.status == 200, reply.text
    assert Progress(flow.stack).end() == orders
    assert Progress(flow.stack).end("syncline.dead-letters.v1") == letters + 1
    assert flow.ingress.ready() and flow.export.ready()


def test_20_mb_are_refused_before_they_are_read(flow):
    reply = flow.sender.post(flow.sender.webhook("eu", "orders/create", b'{"id": 1, "x": "' + b"a" * 20_000_000 + b'"}'), timeout=30)
    assert reply.status == 413
    assert flow.ingress.ready()


def exported_as(flow, order):
    flow.place(order)
    flow.exported(order)
    flow.settled([order], skipped={})
    flow.compare([order])


def test_ids_above_2_to_the_53(flow):
    order = flow.order(id=820982911946154508 + flow.ids.order() % 1000)
    order.lines = [Line(487817672276298554 + order.id % 1000)]
    order.customer_id = 9_007_199_254_740_993
    exported_as(flow, order)


def test_an_order_of_500_lines_and_3_mb(flow):
    base = flow.ids.order() * 1000
    order = flow.order()
    order.lines = [
        Line(base + number, sku=f"SKU-{1 + number % 400:04d}", price=f"{1 + number % 90}.{number % 100:02d}", quantity=1 + number % 3) for number in range(500)
    ]
    order.extra = {"note_attributes": [{"name": f"attribute {number}", "value": "x" * 5000} for number in range(600)]}
    webhook = flow.sender.order_webhook("orders/create", order)
    assert len(webhook.body) > 3_000_000
    flow.sender.deliver(webhook)
    flow.exported(order, seconds=60)
    flow.settled([order], skipped={})
    flow.compare([order])


def test_an_order_without_lines_is_refused_by_name(flow):
    order = flow.order()
    order.lines = []
    flow.place(order)
    flow.settled([order], dead_letters={order.key: "rejected/no_lines"}, skipped={})


@pytest.mark.parametrize("name", ["Ünïcödé ☃ 商品", 'Quotes " and \\ and \t tabs', "<script>alert(1)</script>", "x" * 5000, "   "])
def test_odd_names_of_lines(flow, name):
    order = flow.order()
    order.lines[0].name = name
    flow.place(order)
    flow.exported(order)
    flow.settled([order], skipped={})


def test_unknown_members_are_counted_and_change_nothing(flow):
    before = flow.ingress.metric("syncline_ingress_unknown_members_total")
    order = flow.order()
    order.extra = {"a_member_of_tomorrow": {"x": [1, 2, 3]}, "another": None}
    exported_as(flow, order)
    wait_until(lambda: flow.ingress.metric("syncline_ingress_unknown_members_total") > before, 5, "the unknown members are counted")


def test_a_topic_that_nobody_consumes_is_counted(flow):
    orders = Progress(flow.stack).end()
    assert flow.sender.post(flow.sender.webhook("eu", "products/update", {"id": 1})).status == 200
    assert flow.sender.post(flow.sender.webhook("eu", "made/up", {"id": 1})).status == 200
    assert Progress(flow.stack).end() == orders
