"""Order ids that no other test of the session uses."""

from __future__ import annotations

import itertools

_blocks = itertools.count(1)


class Ids:
    """A block of 100,000 ids: `order()` and `refund()` count up within it."""

    def __init__(self) -> None:
        base = 5_000_000_000 + next(_blocks) * 100_000
        self.orders = itertools.count(base + 1)
        self.refunds = itertools.count(base + 50_001)

    def order(self) -> int:
        return next(self.orders)

    def refund(self) -> int:
        return next(self.refunds)
