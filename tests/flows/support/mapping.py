"""The mapping file of order-export for a sandbox Odoo, made from the sandbox's own catalogue."""

from __future__ import annotations

import functools
import json
import subprocess
from typing import Any

import yaml
from stack.paths import ROOT

LINES = {
    "shipping": "SHIPPING",
    "discount": "DISCOUNT",
    "tip": "TIP",
    "fee": "FEE",
    "gift_card": "GIFT-CARD",
    "custom": "CUSTOM",
    "duty": "DUTY",
    "rounding": "ROUNDING",
    "adjustment": "ADJUSTMENT",
}


@functools.cache
def catalogue() -> dict[str, Any]:
    done = subprocess.run(["node", str(ROOT / "tools/sandbox/odoo/main.mjs"), "--print-catalogue"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def mapping(**changes: Any) -> dict[str, Any]:
    """Every tax, currency and extra of the catalogue; `changes` replace top-level entries."""
    known = catalogue()
    products = {product["default_code"]: product["id"] for product in known["products"]}
    full = {
        "shops": {"eu": {"country": "FR"}, "us": {"country": "US"}},
        "pricelists": {pricelist["currency"]: pricelist["id"] for pricelist in known["pricelists"]},
        "taxes": [{"country": tax["country"], "rate": str(tax["rate"]), "included": tax["included"], "tax": tax["id"]} for tax in known["taxes"]],
        "lines": {name: products[sku] for name, sku in LINES.items()},
        "tax_fallback": {},
        "customers": {"match_email": True},
        "export": {"pos": False},
        "confirm": {"enabled": True, "risk": {"wait_seconds": 0}},
        "totals": {"allowance_per_tax_line": "0.01", "within_allowance": "accept"},
        "refunds": {},
    }
    return {**full, **changes}


def mapping_text(**changes: Any) -> str:
    return yaml.safe_dump(mapping(**changes), sort_keys=False)
