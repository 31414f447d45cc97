"""Contract tests: what the connector relies on, line by line of the facts about Odoo (docs of the connector quote the same lines).

They run against the sandbox, and against a real Odoo 19 when SYNCLINE_ODOO_URL is set (with SYNCLINE_ODOO_DB and SYNCLINE_ODOO_KEY;
a database made for this: records with the external id module `syncline_contract` are left behind, company settings are put back).
A line proved on both is a line the sandbox may be trusted with.
"""

from __future__ import annotations

import itertools
import os
import sys
import uuid
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from odoo_client import CREATE_ONCE, Odoo  # noqa: E402
from sandbox_server import Sandbox  # noqa: E402

REAL_URL = os.environ.get("SYNCLINE_ODOO_URL", "")
PRODUCT_COLUMNS = ("id", "name", "default_code", "type", "lst_price")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sandbox_only: about the sandbox itself; skipped against a real Odoo")
    config.addinivalue_line("markers", "limited: needs the key of a user with few rights (SYNCLINE_ODOO_LIMITED_KEY)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if REAL_URL and item.get_closest_marker("sandbox_only"):
            item.add_marker(pytest.mark.skip(reason="a test of the sandbox itself"))
        if REAL_URL and item.get_closest_marker("limited") and not os.environ.get("SYNCLINE_ODOO_LIMITED_KEY"):
            item.add_marker(pytest.mark.skip(reason="SYNCLINE_ODOO_LIMITED_KEY is not set"))


@pytest.fixture(scope="session")
def sandbox():
    if REAL_URL:
        pytest.skip("SYNCLINE_ODOO_URL is set: the real server is tested")
    server = Sandbox("--latency-ms", "10")
    yield server
    server.close()


@pytest.fixture(autouse=True)
def _no_faults_left(request: pytest.FixtureRequest):
    yield
    if "sandbox" in request.fixturenames and not REAL_URL:
        request.getfixturevalue("sandbox").heal()


@pytest.fixture(scope="session")
def odoo(request: pytest.FixtureRequest) -> Odoo:
    if REAL_URL:
        environment = os.environ
        return Odoo(
            REAL_URL,
            environment.get("SYNCLINE_ODOO_DB", ""),
            environment.get("SYNCLINE_ODOO_KEY", ""),
            environment.get("SYNCLINE_ODOO_LOGIN", ""),
            environment.get("SYNCLINE_ODOO_LIMITED_KEY", ""),
        )
    return request.getfixturevalue("sandbox").client


@pytest.fixture(scope="session")
def run_id() -> str:
    return uuid.uuid4().hex[:10]


class Workshop:
    """Makes what a test needs through the public API, under external ids no other run uses."""

    def __init__(self, odoo: Odoo, run_id: str) -> None:
        self.odoo, self.run_id = odoo, run_id
        self.numbers = itertools.count(1)
        self.taxes: dict[tuple, int] = {}
        self.product = self.name("product")
        odoo.load("product.product", PRODUCT_COLUMNS, [[self.product, "Contract product", f"CT-{run_id}", "consu", "10.00"]])
        self.other_product = self.name("product")
        odoo.load("product.product", PRODUCT_COLUMNS, [[self.other_product, "Other product", f"CO-{run_id}", "consu", "5.00"]])
        self.partner = self.new_partner()

    def name(self, kind: str) -> str:
        return f"syncline_contract.{self.run_id}_{kind}_{next(self.numbers)}"

    def new_partner(self, **values: str) -> str:
        external = self.name("customer")
        cells = {"name": "Contract Customer", **values}
        answer = self.odoo.load("res.partner", ["id", *cells], [[external, *cells.values()]])
        assert answer["ids"], answer
        return external

    def tax(self, rate: float, included: bool = False) -> int:
        """Database id of a sales tax with that rate."""
        if (rate, included) not in self.taxes:
            values = {
                "name": f"{rate} % {'incl' if included else 'excl'} {self.run_id}",
                "amount": rate,
                "amount_type": "percent",
                "type_tax_use": "sale",
                "price_include_override": "tax_included" if included else "tax_excluded",
            }
            self.taxes[rate, included] = self.odoo.call("account.tax", "create", vals_list=[values]).ok()[0]
        return self.taxes[rate, included]

    COLUMNS = (
        "id",
        "partner_id/id",
        "partner_invoice_id/id",
        "partner_shipping_id/id",
        "client_order_ref",
        "date_order",
        "order_line/id",
        "order_line/product_id/id",
        "order_line/name",
        "order_line/product_uom_qty",
        "order_line/price_unit",
        "order_line/discount",
        "order_line/tax_ids/.id",
        "order_line/display_type",
        "order_line/sequence",
    )

    def order_rows(self, external: str, lines: list[dict[str, str]], **order: str) -> list[list[str]]:
        """The rows of one order for COLUMNS; a line is a dict of order_line columns."""
        partner = order.get("partner", self.partner)
        head = [external, partner, partner, partner, order.get("ref", external.split("_")[-1]), order.get("date", "2026-11-20 10:00:00")]
        rows = []
        for number, line in enumerate(lines):
            display = line.get("display_type", "")
            cells = [
                line.get("id", self.name("line")),
                "" if display else line.get("product", self.product),
                line.get("name", "A line"),
                line.get("quantity", "" if display else "1"),
                line.get("price", "" if display else "10.00"),
                line.get("discount", "0"),
                line.get("taxes", ""),
                display,
                str(10 * (number + 1)),
            ]
            rows.append([*(head if number == 0 else [""] * len(head)), *cells])
        return rows

    def load_orders(self, rows: list[list[str]], context: dict | None = None) -> dict:
        return self.odoo.load("sale.order", self.COLUMNS, rows, CREATE_ONCE if context is None else context)

    def new_order(self, *lines: dict[str, str], **order: str) -> tuple[str, int]:
        """External id and database id of a fresh quotation."""
        external = self.name("order")
        answer = self.load_orders(self.order_rows(external, list(lines) or [{}], **order))
        assert answer["ids"], answer
        return external, answer["ids"][0]


@pytest.fixture(scope="session")
def shop(odoo: Odoo, run_id: str) -> Workshop:
    return Workshop(odoo, run_id)


@pytest.fixture
def rounding(odoo: Odoo):
    """Sets the company's rounding method for one test and puts it back."""
    [company] = odoo.search_read("res.company", [["id", "=", 1]], "tax_calculation_rounding_method")

    def choose(method: str) -> None:
        odoo.write("res.company", [1], tax_calculation_rounding_method=method).ok()

    yield choose
    choose(company["tax_calculation_rounding_method"])
