"""What a shared stack cannot show: one shop's share of a small door, and TLS with a certificate that is renewed."""

import http.client
import ssl
import subprocess
from collections import Counter
from pathlib import Path

from stack import wait_until
from support.flow import running
from support.shopify import at_once


def test_one_shop_cannot_take_the_whole_door():
    """While the broker does not answer, requests wait: one shop gets half of the places, the other shop still gets in."""
    with running("share", ingress_settings={"door": {"requests_in_flight_max": 8, "shop_share_percent": 50}}) as flow:
        flow.place(flow.order("eu"))
        webhooks = [flow.sender.order_webhook("orders/create", flow.order(shop)) for shop in ["eu"] * 12 + ["us"] * 2]
        flow.stack.kafka.process.pause()
        try:
            answers = at_once(len(webhooks), lambda number: flow.sender.post(webhooks[number]))
        finally:
            flow.stack.kafka.process.resume()
        of_eu = Counter(answer.status for answer in answers[:12])
        assert of_eu == {503: 4, 429: 8}, of_eu
        assert all(answer.headers.get("retry-after") for answer in answers)
        assert [answer.status for answer in answers[12:]] == [503, 503]
        flow.sender.deliver_all(webhooks)
        flow.drained()


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate and its key."""
    certificate_file, key_file = folder / f"{name}.pem", folder / f"{name}.key"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", *subject]
        + ["-keyout", str(key_file), "-out", str(certificate_file)],
        check=True,
        capture_output=True,
    )
    return certificate_file, key_file


def post(flow, webhook, trusted: Path) -> int:
    """One webhook over TLS by a client that trusts this certificate alone."""
    context = ssl.create_default_context(cafile=str(trusted))
    connection = http.client.HTTPSConnection("localhost", flow.sender.port, timeout=10, context=context)
    try:
        connection.request("POST", "/webhooks/shopify", body=webhook.body, headers=flow.sender.headers(webhook))
        return connection.getresponse().status
    finally:
        connection.close()


def test_tls_and_a_renewed_certificate(tmp_path):
    in_use = certificate(tmp_path, "door")
    settings = {"tls": {"certificate_file": str(in_use[0]), "key_file": str(in_use[1])}}
    with running("tls", ingress_settings=settings) as flow:
        order = flow.order()
        first = tmp_path / "first.pem"
        first.write_text(in_use[0].read_text())
        assert post(flow, flow.sender.order_webhook("orders/create", order), first) == 200
        flow.exported(order)
        # Plain HTTP gets no answer there.
        try:
            assert flow.sender.post(flow.sender.order_webhook("orders/updated", order.touch())).status == 400
        except (ConnectionError, http.client.HTTPException):
            pass
        renewed = certificate(tmp_path, "renewed")
        for fresh, old in zip(renewed, in_use, strict=True):
            fresh.rename(old)

        def accepted() -> bool:
            try:
                return post(flow, flow.sender.order_webhook("orders/updated", order), in_use[0]) == 200
            except ssl.SSLCertVerificationError:
                return False

        wait_until(accepted, 30, "the renewed certificate is in use", interval=0.5)
        flow.settled([order])
