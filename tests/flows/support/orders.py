"""Orders as Shopify would describe them, and what each must become in the ERP.

The arithmetic is Shopify's (net and tax rounded on each line, half up) in exact decimals, written here once more on purpose: it
shares nothing with the services it checks.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

PARIS = timezone(timedelta(hours=1))
EPOCH = datetime(2026, 11, 20, 9, 0, 0, tzinfo=PARIS)


def cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def tax_of(net: Decimal, rate: Decimal, included: bool) -> Decimal:
    return cents(net * rate / (1 + rate)) if included else cents(net * rate)


@dataclass
class Line:
    id: int
    sku: str = "SKU-0001"
    price: str = "10.00"
    quantity: int = 1
    discount: str = "0.00"
    rate: str = "0.2"  # Empty: no tax.
    name: str = "A product"
    removed: int = 0  # By an edit.
    refunded: int = 0
    title: str = "TVA"

    @property
    def ordered(self) -> int:
        return self.quantity

    @property
    def current(self) -> int:
        return self.quantity - self.removed - self.refunded

    @property
    def net(self) -> Decimal:
        return Decimal(self.price) * self.quantity - Decimal(self.discount)


@dataclass
class Order:
    """Mutable: change a member, then body() is the next snapshot. `touch()` moves updated_at."""

    shop: str
    id: int
    currency: str = "EUR"
    country: str = "FR"
    taxes_included: bool = True
    lines: list[Line] = field(default_factory=list)
    shipping: str = "0.00"
    shipping_rate: str = "0.2"
    tip: str = "0.00"
    financial_status: str = "paid"
    customer_id: int = 0
    email: str = ""
    first_name: str = "Jeanne"
    last_name: str = "Moreau"
    source: str = "web"
    test: bool = False
    cancelled_at: datetime | None = None
    updated_at: datetime = EPOCH
    processed_at: datetime = EPOCH
    refunds: list[dict[str, Any]] = field(default_factory=list)
    note: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.lines:
            self.lines = [Line(self.id * 10 + 1)]
        self.customer_id = self.customer_id or self.id
        self.email = self.email or f"buyer{self.customer_id}@{self.shop}.example.com"

    # ---- identity
    @property
    def key(self) -> str:
        return f"{self.shop}/{self.id}"

    @property
    def external_id(self) -> str:
        return f"syncline.{self.shop}_order_{self.id}"

    @property
    def name(self) -> str:
        return f"#{self.id % 1_000_000}"

    def copy(self, **changes: Any) -> Order:
        other = copy.deepcopy(self)
        for name, value in changes.items():
            setattr(other, name, value)
        return other

    def touch(self, seconds: float = 1) -> Order:
        self.updated_at += timedelta(seconds=seconds)
        return self

    def cancel(self) -> Order:
        self.touch()
        self.cancelled_at = self.updated_at
        self.financial_status = "voided" if self.financial_status == "pending" else "refunded"
        return self

    # ---- money
    def total_tax(self) -> Decimal:
        taxes = [tax_of(line.net, Decimal(line.rate), self.taxes_included) for line in self.lines if line.rate]
        if Decimal(self.shipping) and self.shipping_rate:
            taxes.append(tax_of(Decimal(self.shipping), Decimal(self.shipping_rate), self.taxes_included))
        return sum(taxes, Decimal(0))

    def total(self) -> Decimal:
        total = sum((line.net for line in self.lines), Decimal(0)) + Decimal(self.shipping) + Decimal(self.tip)
        return total if self.taxes_included else total + self.total_tax()

    def tax_lines(self) -> int:
        """How many tax lines may each differ by a cent: those of lines, of their discounts, of shipping."""
        count = sum((1 + (Decimal(line.discount) != 0)) for line in self.lines if line.rate)
        return count + (1 if Decimal(self.shipping) and self.shipping_rate else 0)

    # ---- what Shopify sends
    def money(self, amount: Decimal | str) -> dict[str, Any]:
        value = {"amount": f"{Decimal(amount):.2f}", "currency_code": self.currency}
        return {"shop_money": value, "presentment_money": dict(value)}

    def tax_line(self, net: Decimal, rate: str, title: str = "TVA") -> list[dict[str, Any]]:
        if not rate:
            return []
        amount = tax_of(net, Decimal(rate), self.taxes_included)
        return [{"title": title, "rate": float(rate), "price": f"{amount:.2f}", "price_set": self.money(amount), "channel_liable": False}]

    def line_body(self, line: Line) -> dict[str, Any]:
        discounted = Decimal(line.discount) != 0
        return {
            "id": line.id,
            "admin_graphql_api_id": f"gid://shopify/LineItem/{line.id}",
            "current_quantity": line.current,
            "fulfillable_quantity": line.current,
            "fulfillment_service": "manual",
            "fulfillment_status": None,
            "gift_card": False,
            "grams": 100,
            "name": line.name,
            "price": f"{Decimal(line.price):.2f}",
            "price_set": self.money(line.price),
            "product_exists": True,
            "product_id": 7_000_000 + line.id % 1000,
            "properties": [],
            "quantity": line.quantity,
            "requires_shipping": True,
            "sku": line.sku,
            "taxable": bool(line.rate),
            "title": line.name,
            "total_discount": "0.00",
            "total_discount_set": self.money("0"),
            "variant_id": 8_000_000 + line.id % 1000,
            "variant_title": None,
            "vendor": None,
            "tax_lines": self.tax_line(line.net, line.rate, line.title),
            "duties": [],
            "discount_allocations": [{"amount": line.discount, "amount_set": self.money(line.discount), "discount_application_index": 0}] if discounted else [],
        }

    def address(self) -> dict[str, Any]:
        return {
            "first_name": self.first_name,
            "last_name": self.last_name,
            "address1": "1 Rue de Test",
            "address2": None,
            "city": "Paris",
            "zip": "75001",
            "province": None,
            "province_code": None,
            "country": self.country,
            "country_code": self.country,
            "phone": None,
            "company": None,
            "name": f"{self.first_name} {self.last_name}",
        }

    def body(self) -> dict[str, Any]:
        total, tax = self.total(), self.total_tax()
        net = sum((line.net for line in self.lines), Decimal(0))
        removed = sum((Decimal(line.price) * line.removed for line in self.lines), Decimal(0))
        discounts = sum((Decimal(line.discount) for line in self.lines), Decimal(0))
        stamp = lambda time: time.isoformat(timespec="seconds") if time else None  # noqa: E731
        body = {
            "id": self.id,
            "admin_graphql_api_id": f"gid://shopify/Order/{self.id}",
            "name": self.name,
            "order_number": self.id % 1_000_000,
            "number": self.id % 1_000_000,
            "app_id": 580111,
            "test": self.test,
            "confirmed": True,
            "source_name": self.source,
            "location_id": None,
            "created_at": stamp(self.processed_at),
            "processed_at": stamp(self.processed_at),
            "updated_at": stamp(self.updated_at),
            "cancelled_at": stamp(self.cancelled_at),
            "cancel_reason": "customer" if self.cancelled_at else None,
            "closed_at": None,
            "currency": self.currency,
            "presentment_currency": self.currency,
            "taxes_included": self.taxes_included,
            "tax_exempt": False,
            "duties_included": False,
            "financial_status": self.financial_status,
            "fulfillment_status": None,
            "email": self.email,
            "contact_email": self.email,
            "phone": None,
            "note": self.note,
            "note_attributes": [],
            "tags": "",
            "customer_locale": "fr",
            "payment_gateway_names": ["shopify_payments"],
            "customer": {"id": self.customer_id, "email": self.email, "first_name": self.first_name, "last_name": self.last_name, "phone": None},
            "billing_address": self.address(),
            "shipping_address": self.address(),
            "company": None,
            "po_number": None,
            "line_items": [self.line_body(line) for line in self.lines],
            "line_item_groups": [],
            "shipping_lines": (
                [
                    {
                        "id": self.id * 10,
                        "title": "Standard",
                        "code": "standard",
                        "source": "shopify",
                        "price": f"{Decimal(self.shipping):.2f}",
                        "price_set": self.money(self.shipping),
                        "discounted_price": f"{Decimal(self.shipping):.2f}",
                        "discounted_price_set": self.money(self.shipping),
                        "discount_allocations": [],
                        "tax_lines": self.tax_line(Decimal(self.shipping), self.shipping_rate),
                        "is_removed": False,
                    }
                ]
                if Decimal(self.shipping)
                else []
            ),
            "discount_applications": (
                [
                    {
                        "target_type": "line_item",
                        "type": "manual",
                        "value": "0.0",
                        "value_type": "fixed_amount",
                        "allocation_method": "across",
                        "target_selection": "all",
                        "title": "Promotion",
                    }
                ]
                if discounts
                else []
            ),
            "discount_codes": [],
            "tax_lines": [],
            "total_line_items_price": f"{net + discounts:.2f}",
            "total_line_items_price_set": self.money(net + discounts),
            "subtotal_price": f"{net:.2f}",
            "subtotal_price_set": self.money(net),
            "total_discounts": f"{discounts:.2f}",
            "total_discounts_set": self.money(discounts),
            "total_shipping_price_set": self.money(self.shipping),
            "total_tax": f"{tax:.2f}",
            "total_tax_set": self.money(tax),
            "total_price": f"{total:.2f}",
            "total_price_set": self.money(total),
            "total_tip_received": self.tip,
            "total_tip_received_set": self.money(self.tip),
            "current_subtotal_price": f"{net - removed:.2f}",
            "current_subtotal_price_set": self.money(net - removed),
            "current_total_tax": f"{tax:.2f}",
            "current_total_tax_set": self.money(tax),
            "current_total_price": f"{total - removed:.2f}",
            "current_total_price_set": self.money(total - removed),
            "total_outstanding": "0.00",
            "refunds": copy.deepcopy(self.refunds),
            "fulfillments": [],
            "returns": [],
        }
        body.update(self.extra)
        return body

    # ---- refunds
    def refund_body(
        self, refund_id: int, quantities: dict[int, int], *, status: str = "success", shipping: str = "0.00", at: datetime | None = None
    ) -> dict[str, Any]:
        """A refunds/create body: units by line id, their tax, and shipping, with the money that moved."""
        time = (at or self.updated_at + timedelta(seconds=5)).isoformat(timespec="seconds")
        lines, money = [], Decimal(shipping)
        for number, (line_id, units) in enumerate(quantities.items()):
            [line] = [each for each in self.lines if each.id == line_id]
            subtotal = cents(line.net * units / line.quantity)
            tax = tax_of(subtotal, Decimal(line.rate), self.taxes_included) if line.rate else Decimal(0)
            money += subtotal if self.taxes_included else subtotal + tax
            lines.append(
                {
                    "id": refund_id * 10 + number,
                    "quantity": units,
                    "line_item_id": line_id,
                    "location_id": None,
                    "restock_type": "no_restock",
                    "subtotal": float(subtotal),
                    "total_tax": float(tax),
                    "subtotal_set": self.money(subtotal),
                    "total_tax_set": self.money(tax),
                    "line_item": self.line_body(line),
                }
            )
        adjustments = []
        if Decimal(shipping):
            tax = tax_of(Decimal(shipping), Decimal(self.shipping_rate), self.taxes_included) if self.shipping_rate else Decimal(0)
            amount = Decimal(shipping) - tax if self.taxes_included else Decimal(shipping)
            if not self.taxes_included:
                money += tax
            adjustments = [
                {
                    "id": refund_id * 10 + 9,
                    "order_id": self.id,
                    "refund_id": refund_id,
                    "amount": f"{-amount:.2f}",
                    "tax_amount": f"{-tax:.2f}",
                    "kind": "shipping_refund",
                    "reason": "Shipping refund",
                    "amount_set": self.money(-amount),
                    "tax_amount_set": self.money(-tax),
                }
            ]
        transaction = {
            "id": refund_id * 100,
            "order_id": self.id,
            "kind": "refund",
            "gateway": "shopify_payments",
            "status": status,
            "message": None,
            "created_at": time,
            "processed_at": time,
            "test": False,
            "parent_id": None,
            "amount": f"{money:.2f}",
            "currency": self.currency,
            "error_code": None,
        }
        return {
            "id": refund_id,
            "order_id": self.id,
            "created_at": time,
            "processed_at": time,
            "note": None,
            "user_id": None,
            "duties": [],
            "return": None,
            "restock": False,
            "admin_graphql_api_id": f"gid://shopify/Refund/{refund_id}",
            "order_adjustments": adjustments,
            "refund_shipping_lines": [],
            "refund_line_items": lines,
            "transactions": [transaction],
        }

    def transaction_body(self, refund: dict[str, Any], status: str) -> dict[str, Any]:
        """An order_transactions/create body for the money of a refund."""
        return {**refund["transactions"][0], "status": status, "payment_details": {}, "receipt": {}, "source_name": "web"}

    def with_refund(self, refund: dict[str, Any]) -> Order:
        """The order's next snapshot, in which the refund stands."""
        self.touch(5)
        self.refunds.append(refund)
        for line in refund["refund_line_items"]:
            [mine] = [each for each in self.lines if each.id == line["line_item_id"]]
            mine.refunded += line["quantity"]
        self.financial_status = "partially_refunded" if any(line.current for line in self.lines) else "refunded"
        return self

    # ---- what must stand in the ERP
    def tax_keys(self, rate: str) -> list[str]:
        if not rate:
            return []
        percent = f"{Decimal(rate) * 100:f}".rstrip("0").rstrip(".") if "." in f"{Decimal(rate) * 100:f}" else f"{Decimal(rate) * 100:f}"
        return [f"{self.country.lower()}_{percent.replace('.', '_')}{'_incl' if self.taxes_included else ''}"]

    def expected_lines(self) -> dict[str, tuple]:
        """By external id: (sku, quantity, price, taxes)."""
        found = {}
        for line in self.lines:
            quantity = line.quantity - line.removed
            if quantity <= 0:
                continue
            prefix = f"{self.external_id}_line_{line.id}"
            found[prefix] = (line.sku, quantity, Decimal(line.price), self.tax_keys(line.rate))
            if Decimal(line.discount):
                found[f"{prefix}_discount"] = ("DISCOUNT", 1, -Decimal(line.discount), self.tax_keys(line.rate))
        if Decimal(self.shipping):
            found[f"{self.external_id}_shipping_{self.id * 10}"] = ("SHIPPING", 1, Decimal(self.shipping), self.tax_keys(self.shipping_rate))
        if Decimal(self.tip):
            found[f"{self.external_id}_tip"] = ("TIP", 1, Decimal(self.tip), [])
        return found

    def expected_state(self) -> str:
        if self.cancelled_at:
            return "cancel"
        return "sale" if self.financial_status in ("paid", "partially_refunded", "refunded") else "draft"

    def expected_date(self) -> str:
        return self.processed_at.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
