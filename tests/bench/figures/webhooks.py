"""Signed order webhooks of about 10 KB, as a file of whole HTTP requests for bench_http_load."""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import json
import struct
import uuid
from pathlib import Path


def _money(amount: str) -> dict[str, object]:
    both = {"amount": amount, "currency_code": "EUR"}
    return {"shop_money": both, "presentment_money": dict(both)}


def _tax(amount: str) -> dict[str, object]:
    return {"channel_liable": False, "price": amount, "price_set": _money(amount), "rate": 0.2, "title": "FR TVA"}


def _address(number: int) -> dict[str, object]:
    return {
        "first_name": f"Given{number}", "last_name": f"Family{number}", "name": f"Given{number} Family{number}", "company": None,
        "address1": f"{number} rue du Banc", "address2": None, "city": "Lyon", "zip": "69001", "province": None, "province_code": None,
        "country": "France", "country_code": "FR", "phone": "+33100000000", "latitude": None, "longitude": None,
    }


def _line(order: int, place: int) -> dict[str, object]:
    return {
        "id": order * 100 + place, "admin_graphql_api_id": f"gid://shopify/LineItem/{order * 100 + place}", "attributed_staffs": [],
        "current_quantity": 2, "fulfillable_quantity": 2, "fulfillment_service": "manual", "fulfillment_status": None, "gift_card": False,
        "grams": 500, "name": f"Article {place} - Large", "price": "24.00", "price_set": _money("24.00"), "product_exists": True,
        "product_id": 7000 + place, "properties": [], "quantity": 2, "requires_shipping": True, "sales_line_item_group_id": None,
        "sku": f"SKU-{place:04}", "taxable": True, "title": f"Article {place}", "total_discount": "0.00", "total_discount_set": _money("0.00"),
        "variant_id": 9000 + place, "variant_inventory_management": "shopify", "variant_title": "Large", "vendor": "Syncline",
        "tax_lines": [_tax("8.00")], "duties": [], "discount_allocations": [],
    }  # fmt: skip


def order(number: int, lines: int = 4) -> dict[str, object]:
    """One paid order with shipping, taxes included, a customer and two addresses; about 10 KB as JSON."""
    at = (datetime.datetime(2026, 11, 27, tzinfo=datetime.UTC) + datetime.timedelta(seconds=number % 86_400)).isoformat()
    goods, shipping = 48 * lines, 6
    total, tax = f"{goods + shipping}.00", f"{8 * lines + 1}.00"
    return {
        "id": number, "admin_graphql_api_id": f"gid://shopify/Order/{number}", "app_id": 580111, "browser_ip": "203.0.113.10",
        "buyer_accepts_marketing": False, "cancel_reason": None, "cancelled_at": None, "cart_token": None, "checkout_id": number + 1,
        "client_details": {"accept_language": "fr", "browser_ip": "203.0.113.10", "user_agent": "Mozilla/5.0"}, "closed_at": None,
        "company": None, "confirmation_number": f"C{number}", "confirmed": True, "contact_email": f"buyer{number}@example.com",
        "created_at": at, "currency": "EUR", "current_shipping_price_set": _money(f"{shipping}.00"),
        "current_subtotal_price": f"{goods}.00", "current_subtotal_price_set": _money(f"{goods}.00"),
        "current_total_additional_fees_set": None, "current_total_discounts": "0.00", "current_total_discounts_set": _money("0.00"),
        "current_total_duties_set": None, "current_total_price": total, "current_total_price_set": _money(total),
        "current_total_tax": tax, "current_total_tax_set": _money(tax), "customer_locale": "fr", "device_id": None, "discount_codes": [],
        "duties_included": False, "email": f"buyer{number}@example.com", "estimated_taxes": False, "financial_status": "paid",
        "fulfillment_status": None, "location_id": None, "merchant_of_record_app_id": None, "name": f"#{number}", "note": None,
        "note_attributes": [], "number": number, "order_number": number + 1000, "original_total_additional_fees_set": None,
        "original_total_duties_set": None, "payment_gateway_names": ["shopify_payments"], "phone": None, "po_number": None,
        "presentment_currency": "EUR", "processed_at": at, "reference": None, "source_name": "web", "subtotal_price": f"{goods}.00",
        "subtotal_price_set": _money(f"{goods}.00"), "tags": "", "tax_exempt": False, "tax_lines": [_tax(tax)], "taxes_included": True,
        "test": False, "token": f"{number:032x}", "total_cash_rounding_payment_adjustment_set": _money("0.00"),
        "total_cash_rounding_refund_adjustment_set": _money("0.00"), "total_discounts": "0.00", "total_discounts_set": _money("0.00"),
        "total_line_items_price": f"{goods}.00", "total_line_items_price_set": _money(f"{goods}.00"), "total_outstanding": "0.00",
        "total_price": total, "total_price_set": _money(total), "total_shipping_price_set": _money(f"{shipping}.00"), "total_tax": tax,
        "total_tax_set": _money(tax), "total_tip_received": "0.00", "total_weight": 6000, "updated_at": at, "user_id": None,
        "billing_address": _address(number),
        "customer": {"id": 100000 + number % 5000, "email": f"buyer{number}@example.com", "first_name": f"Given{number}",
                     "last_name": f"Family{number}", "state": "enabled", "tags": "", "tax_exempt": False, "currency": "EUR", "phone": None},
        "discount_applications": [], "fulfillments": [], "line_items": [_line(number, place) for place in range(1, lines + 1)],
        "payment_terms": None, "refunds": [], "shipping_address": _address(number),
        "shipping_lines": [{"id": number + 2, "carrier_identifier": None, "code": "Standard", "current_discounted_price_set": _money("6.00"),
                            "discounted_price": "6.00", "discounted_price_set": _money("6.00"), "is_removed": False, "phone": None,
                            "price": "6.00", "price_set": _money("6.00"), "requested_fulfillment_service_id": None, "source": "shopify",
                            "title": "Standard", "tax_lines": [_tax("1.00")], "discount_allocations": []}],
    }  # fmt: skip


def request(path: str, topic: str, domain: str, secret: str, body: bytes, triggered_at: str) -> bytes:
    """A whole HTTP/1.1 request as Shopify sends it."""
    signature = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: ingress.bench\r\nUser-Agent: Shopify-Captain-Hook\r\nContent-Length: {len(body)}\r\n"
        f"Accept: */*\r\nContent-Type: application/json\r\nX-Shopify-API-Version: 2026-07\r\n"
        f"X-Shopify-Event-Id: {uuid.uuid4()}\r\nX-Shopify-Hmac-Sha256: {signature}\r\nX-Shopify-Shop-Domain: {domain}\r\n"
        f"X-Shopify-Topic: {topic}\r\nX-Shopify-Triggered-At: {triggered_at}\r\nX-Shopify-Webhook-Id: {uuid.uuid4()}\r\n\r\n"
    )
    return head.encode() + body


def write_requests(file: Path, *, path: str, shops: list[tuple[str, str]], count: int, first: int = 0) -> int:
    """`count` different orders from number `first` on, the (domain, secret) pairs in turn. Returns the mean size of a body in bytes."""
    size = 0
    with open(file, "wb") as out:
        for number in range(first, first + count):
            domain, secret = shops[number % len(shops)]
            body = json.dumps(order(6_200_000_000_000 + number), separators=(",", ":")).encode()
            size += len(body)
            at = f"2026-11-27T00:{number // 60 % 60:02}:{number % 60:02}.{number % 1000:03}000000Z"
            whole = request(path, "orders/create", domain, secret, body, at)
            out.write(struct.pack("<I", len(whole)) + whole)
    return size // count
