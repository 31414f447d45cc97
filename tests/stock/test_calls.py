"""How many calls Shopify is asked for: 250 changed pairs a call, and few more when one of them is bad."""

import math
import time

import pytest
from stack import wait_until

PAIRS = 320


def calls(stock, shop: str) -> float:
    """Writing calls that came to an answer, refused ones too."""
    return sum(stock.sync.metric("syncline_inventory_sync_writes_total", shop=shop, outcome=outcome) for outcome in ("applied", "refused"))


def gathered(stock, quantities: dict[str, int]) -> None:
    """A backlog of both shops: they are another instance's until let_go(), so that what changes is computed and not sent."""
    stock.stack.postgres.query("update inventory_sync.work_leases set owner = 'another', until = now() + interval '5 minutes' where name like 'shop/%'")
    time.sleep(6)  # It asks for its lease every five seconds.
    count(stock, quantities)
    names = ",".join(f"'{sku}'" for sku in quantities)
    waiting = f"select count(*) from inventory_sync.pairs where sku in ({names}) and unsent and not look and batch is null"
    wait_until(lambda: stock.stack.postgres.query(waiting) == str(2 * len(quantities)), 120, "the pairs wait", interval=0.2)


def let_go(stock) -> None:
    stock.stack.postgres.query("update inventory_sync.work_leases set until = now() where owner = 'another'")


def count(stock, quantities: dict[str, int]) -> None:
    entries = [{"place": "MAIN", "sku": sku, "quantity": quantity} for sku, quantity in quantities.items()]
    for start in range(0, len(entries), 100):
        stock.warehouse.control("count", "POST", entries[start : start + 100])


def shown(stock, quantities: dict[str, int], seconds: float = 60) -> None:
    def wrong() -> list[str]:
        found = []
        for shop in ("eu", "us"):
            levels = {level["sku"]: level for level in stock.shopify.control(f"shops/{shop}/levels?location={stock.locations[shop][0]}")}
            found += [f"{shop}/{sku}: {levels[sku]['available']}" for sku, quantity in quantities.items() if levels[sku]["available"] != quantity]
        return found

    try:
        wait_until(lambda: not wrong(), seconds, "Shopify shows it", interval=0.2)
    except Exception as error:
        raise AssertionError(wrong()[:10]) from error


@pytest.fixture
def known(stock):
    """SKUs whose pairs were written before, so that none has to be read first."""
    skus = [stock.sku() for _ in range(PAIRS)]
    quantities = dict.fromkeys(skus, 7)
    count(stock, quantities)
    shown(stock, quantities)
    return skus


def test_a_backlog_takes_as_few_calls_as_can_be(stock, known):
    quantities = {sku: 10 + number % 5 for number, sku in enumerate(known)}
    gathered(stock, quantities)
    before = {shop: calls(stock, shop) for shop in ("eu", "us")}
    let_go(stock)
    shown(stock, quantities)
    for shop in ("eu", "us"):
        assert calls(stock, shop) - before[shop] == math.ceil(PAIRS / 250), shop


def test_a_bad_pair_that_nobody_names_is_found_in_few_calls(stock, known):
    """A full batch that is refused as a whole costs log2(250) + 2 further calls at most, and only the bad pair is held."""
    some = known[:250]
    quantities = {sku: 20 + number % 5 for number, sku in enumerate(some)}
    gathered(stock, quantities)
    before = calls(stock, "eu")
    bad = some[137]
    stock.shopify.control("faults", "POST", {"kind": "unnamed_pair", "shop": "eu", "sku": bad})
    let_go(stock)
    good = {sku: quantity for sku, quantity in quantities.items() if sku != bad}

    def done() -> bool:
        held = stock.stack.postgres.query(f"select count(*) from inventory_sync.pairs where shop = 'eu' and sku = '{bad}' and held <> ''")
        levels = {level["sku"]: level["available"] for level in stock.shopify.control(f"shops/eu/levels?location={stock.locations['eu'][0]}")}
        return held == "1" and all(levels[sku] == quantity for sku, quantity in good.items())

    wait_until(done, 60, "the bad pair is held and the others are shown", interval=0.3)
    further = calls(stock, "eu") - before - 1
    assert further <= math.floor(math.log2(250)) + 2, further
    # The other shop knows nothing of it.
    assert stock.level("us", bad)["available"] == quantities[bad]


def test_a_named_pair_costs_one_call_more(stock, known):
    some = known[250:300]
    quantities = {sku: 30 + number % 5 for number, sku in enumerate(some)}
    gathered(stock, quantities)
    before = calls(stock, "us")
    gone = some[17]
    stock.shopify.control(f"shops/us/items?sku={gone}", "DELETE")
    let_go(stock)
    good = {sku: quantity for sku, quantity in quantities.items() if sku != gone}

    def done() -> bool:
        levels = {level["sku"]: level["available"] for level in stock.shopify.control(f"shops/us/levels?location={stock.locations['us'][0]}")}
        return all(levels[sku] == quantity for sku, quantity in good.items())

    wait_until(done, 60, "the others are shown", interval=0.3)
    assert calls(stock, "us") - before <= 2
