"""Random operations of three sources and two shops, with everything that can go wrong between them: at the end Shopify shows exactly what
is true. SYNCLINE_STOCK_OPERATIONS sets how many (the default run takes some hundred, chaos 100,000), SYNCLINE_STOCK_SEED repeats a run."""

import os
import random
import tempfile
import time
from pathlib import Path

import pytest
from judge import Judge, at_rest
from stack import Stack
from world import World, stock_of

OPERATIONS = int(os.environ.get("SYNCLINE_STOCK_OPERATIONS", "600"))
# Order webhooks come up to ten minutes late; a run of a few thousand operations is a day in little.
LATE_MS = 600_000 // (100 if OPERATIONS < 20_000 else 20)
ITEMS = 60 if OPERATIONS < 20_000 else 300
PER_SECOND = 150
QUICK = {"send": {"lease": "3s"}, "limits": {"commit_every": "200ms"}}

FAULTS = [
    {"kind": "webhook_delay", "probability": 0.4, "jitter_ms": LATE_MS},
    {"kind": "webhook_duplicate", "probability": 0.1, "jitter_ms": LATE_MS},
    {"kind": "throttled", "probability": 0.03},
    {"kind": "http_error", "status": 503, "probability": 0.02},
    {"kind": "http_error", "status": 429, "retry_after": 1, "probability": 0.01},
    {"kind": "graphql_error", "code": "INTERNAL_SERVER_ERROR", "message": "Internal error", "probability": 0.01},
    {"kind": "answer_lost", "probability": 0.02},
    {"kind": "internal_error", "probability": 0.01},
    {"kind": "malformed", "probability": 0.01},
]


@pytest.fixture
def say(capsys):
    """Prints also where the test passes: the seed and what was measured belong to the result."""

    def out(text: str) -> None:
        with capsys.disabled():
            print(f"\n{text}", flush=True)

    return out


def seed_of(name: str, say) -> int:
    seed = int(os.environ.get("SYNCLINE_STOCK_SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000)
    say(f"{name}: SYNCLINE_STOCK_SEED={seed} SYNCLINE_STOCK_OPERATIONS={OPERATIONS}")
    return seed


@pytest.fixture
def stack():
    folder = Path(tempfile.mkdtemp(prefix="syncline-random-"))
    folder.chmod(0o755)
    with Stack(folder, connections=[], stock=stock_of(ITEMS, settings=QUICK), log_level="warn") as running:
        yield running


def begin(stack: Stack, seed: int) -> tuple[World, Judge]:
    world = World(stack, seed, [f"SKU-{number + 1:07d}" for number in range(ITEMS)])
    for place, sku in world.shelves:
        world.shelves[(place, sku)].pieces = world.random.randint(0, 60)
        world.tell(place, sku, None, delay=0)
    world.deliver(everything=True)
    at_rest(world, 60, clear=False)
    judge = Judge(world)
    assert judge.differences() == []
    stack.shopify.control("faults", "POST", [{**rule, "seed": seed + number} for number, rule in enumerate(FAULTS)])
    return world, judge


def run(world: World, judge: Judge, events: list[tuple[float, object]]) -> None:
    """The operations at a steady pace; each event (share of the run, what to do) comes once."""
    began = time.monotonic()
    next_sample = began + 1
    next_log = 20_000
    while world.operations < OPERATIONS:
        for _ in range(10):
            world.step()
        world.deliver()
        while events and world.operations >= OPERATIONS * events[0][0]:
            events.pop(0)[1]()
        if time.monotonic() >= next_sample:
            judge.sample()
            next_sample = time.monotonic() + 1
        if world.operations >= next_log:
            judge.writes()  # Shopify's log forgets.
            next_log += 20_000
        ahead = began + world.operations / PER_SECOND - time.monotonic()
        if ahead > 0:
            time.sleep(min(ahead, 0.2))


def finish(world: World, judge: Judge, say) -> None:
    world.stack.shopify.control("faults", "DELETE")
    world.deliver(everything=True)
    again = world.settle_times()
    at_rest(world, 240)
    writes = judge.writes()
    wrong = judge.differences()
    say(f"{world.operations} operations {dict(world.done)}; {again} of {len(world.shelves)} levels told once more; {writes} values written")
    say(judge.overshoot())
    assert not wrong, f"{len(wrong)} pairs differ:\n" + "\n".join(wrong[:15])
    assert not judge.broken, f"{len(judge.broken)} looks:\n" + "\n".join(judge.broken[:10])


def test_random_operations_end_as_the_model(stack, say):
    seed = seed_of("random operations", say)
    world, judge = begin(stack, seed)
    sync = stack.services["inventory-sync/0"]

    def kill() -> None:
        sync.process.kill()
        sync.process.start()

    def kill_postgres() -> None:
        stack.postgres.process.kill()
        stack.postgres.restart()

    chance = random.Random(seed)
    kills = max(2, OPERATIONS // 10_000)
    events = [(chance.uniform(0.05, 0.95), kill) for _ in range(kills)] + [(chance.uniform(0.2, 0.9), kill_postgres) for _ in range(max(1, kills // 2))]
    run(world, judge, sorted(events, key=lambda event: event[0]))
    finish(world, judge, say)


@pytest.mark.kills
def test_two_instances_with_a_rebalance_end_as_one(stack, say):
    """The second starts in the middle, the first leaves in order, the second is killed, the first comes back."""
    seed = seed_of("two instances", say)
    world, judge = begin(stack, seed)
    first = stack.services["inventory-sync/0"]

    def second_dies() -> None:
        stack.services["inventory-sync/1"].process.kill()
        first.process.start()

    def first_leaves() -> None:
        first.process.stop()
        assert first.process.exit_code() == 0, first.process.tail()

    run(world, judge, [(0.2, lambda: stack.add_inventory_sync(1)), (0.45, first_leaves), (0.7, second_dies)])
    finish(world, judge, say)
