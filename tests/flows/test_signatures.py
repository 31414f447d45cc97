"""Who may speak: 401 for every bad signature, nothing published; rotation refuses nothing valid; forged headers destroy nothing."""

import json
import threading
import time

import pytest
from stack import wait_until
from support.settled import Progress


@pytest.fixture
def nothing_published(flow):
    before = Progress(flow.stack).end()
    yield
    assert Progress(flow.stack).end() == before


def corrupted(signature: str, how: str) -> str | None:
    return {
        "missing": None,
        "empty": "",
        "truncated": signature[:-8],
        "one_letter": ("A" if signature[0] != "A" else "B") + signature[1:],
        "not_base64": "!" * 44,
        "hex": "ab" * 32,
        "longer": signature + "AAAA",
    }[how]


@pytest.mark.parametrize("how", ["missing", "empty", "truncated", "one_letter", "not_base64", "hex", "longer"])
def test_a_bad_signature_is_401(flow, nothing_published, how):
    webhook = flow.sender.order_webhook("orders/create", flow.order())
    good = flow.sender.signature("eu", webhook.body)
    assert flow.sender.post(webhook, X_Shopify_Hmac_Sha256=corrupted(good, how)).status == 401


def test_the_signature_of_an_altered_body_is_401(flow, nothing_published):
    webhook = flow.sender.order_webhook("orders/create", flow.order())
    good = flow.sender.signature("eu", webhook.body)
    webhook.body = webhook.body.replace(b'"10.00"', b'"99.00"')
    assert flow.sender.post(webhook, X_Shopify_Hmac_Sha256=good).status == 401


def test_the_secret_of_another_shop_is_401(flow, nothing_published):
    webhook = flow.sender.order_webhook("orders/create", flow.order())
    assert flow.sender.post(webhook, X_Shopify_Hmac_Sha256=flow.sender.signature("us", webhook.body)).status == 401


def test_an_unknown_shop_is_401(flow, nothing_published):
    webhook = flow.sender.order_webhook("orders/create", flow.order())
    assert flow.sender.post(webhook, X_Shopify_Shop_Domain="nobody.myshopify.com").status == 401


@pytest.mark.parametrize("topic", ["orders/delete", "customers/redact", "shop/redact", "app/uninstalled", "refunds/create", "orders/cancelled"])
def test_a_signed_body_under_another_topic_destroys_nothing(flow, topic):
    order = flow.order()
    webhook = flow.place(order)
    flow.exported(order)
    flow.sender.post(webhook, X_Shopify_Topic=topic, X_Shopify_Webhook_Id="forged-" + topic.replace("/", "-"))
    flow.drained()
    flow.exported(order)
    flow.compare([order])


def test_a_deletion_must_name_nothing_but_the_id(flow):
    """An order's body sent as a deletion is malformed: it becomes a dead letter of ingress, not a deletion."""
    order = flow.order()
    webhook = flow.place(order)
    flow.exported(order)
    before = Progress(flow.stack).end()
    assert flow.sender.post(webhook, X_Shopify_Topic="orders/delete").status == 200
    assert Progress(flow.stack).end() == before
    flow.settled([order], skipped={})


@pytest.mark.parametrize("topic", ["shop/redact", "customers/redact", "customers/data_request"])
def test_a_body_about_a_shop_must_name_the_shop_of_the_header(flow, topic):
    body = {
        "shop_id": 1,
        "shop_domain": flow.sender.shops["us"].domain,
        "customer": {"id": 1, "email": "x@us.example.com", "phone": None},
        "orders_to_redact": [],
        "orders_requested": [],
        "data_request": {"id": 1},
    }
    customers, shops = Progress(flow.stack).end("syncline.customers.v1"), Progress(flow.stack).end("syncline.shops.v1")
    assert flow.sender.post(flow.sender.webhook("eu", topic, body)).status in (200, 401)
    assert (Progress(flow.stack).end("syncline.customers.v1"), Progress(flow.stack).end("syncline.shops.v1")) == (customers, shops)


def test_rotation_with_two_secrets_refuses_nothing_valid(flow):
    """Old and new secrets are both good while the file lists both; requests go on all the time."""
    shop = flow.sender.shops["eu"]
    old, new = shop.secret, "rotated-" + shop.secret
    shops_file = flow.stack.folder / "config/shops.yaml"
    before = shops_file.read_text()
    second = flow.stack.folder / "secrets/shopify-eu-new"
    second.write_text(new + "\n")
    statuses: list[tuple[str, int]] = []
    stop = threading.Event()

    def keep_sending() -> None:
        while not stop.is_set():
            webhook = flow.sender.webhook("eu", "products/update", {"id": 1})
            secrets = [old, new] if rotated.is_set() else [old]
            for secret in secrets:
                statuses.append((secret, flow.sender.post(webhook, X_Shopify_Hmac_Sha256=flow.sender.signature("eu", webhook.body, secret)).status))

    rotated = threading.Event()
    sender = threading.Thread(target=keep_sending)
    sender.start()
    try:
        first = str(flow.stack.folder / "secrets/shopify-eu")
        shops_file.write_text(before.replace(f"- {first}\n", f"- {first}\n    - {second}\n", 1))
        probe = flow.sender.webhook("eu", "products/update", {"id": 2})
        wait_until(
            lambda: flow.sender.post(probe, X_Shopify_Hmac_Sha256=flow.sender.signature("eu", probe.body, new)).status == 200, 30, "the new secret is accepted"
        )
        rotated.set()
        count = len(statuses)
        wait_until(lambda: len(statuses) > count + 50, 30, "requests with both secrets were answered")
    finally:
        stop.set()
        sender.join()
        shops_file.write_text(before)
    assert {status for _, status in statuses} == {200}
    assert {secret for secret, _ in statuses} == {old, new}


def test_a_refusal_has_a_stable_code(flow):
    webhook = flow.sender.order_webhook("orders/create", flow.order())
    reply = flow.sender.post(webhook, X_Shopify_Hmac_Sha256="AAAA")
    assert reply.headers["content-type"].startswith("application/problem+json")
    problem = json.loads(reply.text)
    assert problem["status"] == 401 and problem["code"]


def test_an_untouched_order_still_passes(flow):
    """The guard of this file: with a good signature the same request is taken."""
    order = flow.order()
    start = time.monotonic()
    flow.place(order)
    flow.exported(order)
    assert time.monotonic() - start < 30
