"""Orders that are held for a tax nobody has mapped, and what the help desk shows of them."""

from __future__ import annotations

import re
import subprocess
from typing import Any

from stack import wait_until
from support.flow import Flow
from support.mapping import mapping, mapping_text
from support.orders import Order


class Desk:
    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.zendesk = flow.stack.zendesk
        self.tests = 0

    @property
    def service(self) -> Any:
        return self.flow.stack.services["helpdesk-sync/0"]

    def begin(self) -> None:
        """A tax rate, and by it a cause, that no test before has used."""
        self.tests += 1
        self.rate = f"{self.tests / 1000 + 0.03:.3f}"
        self.percent = f"{float(self.rate) * 100:.1f}"
        self.cause = f"tax:FR/{self.percent}/"

    def heal(self) -> None:
        self.zendesk.control("faults", "DELETE")
        self.flow.erp.heal()
        self.flow.stack.mapping_file().write_text(mapping_text())

    def fault(self, **rule: Any) -> None:
        self.zendesk.control("faults", "POST", rule)

    def place_held(self, count: int = 1) -> list[Order]:
        orders = [self.flow.order() for _ in range(count)]
        for order in orders:
            order.lines[0].rate = self.rate
        self.flow.sender.deliver_all([self.flow.sender.order_webhook("orders/create", order) for order in orders])
        return orders

    def release(self) -> None:
        """The mapping gets the tax: what waits for it goes on by itself."""
        known = mapping()
        like = next(tax for tax in known["taxes"] if tax["country"] == "FR" and tax["rate"] == "10" and tax["included"])
        added = {"country": "FR", "rate": self.percent, "included": True, "tax": like["tax"]}
        self.flow.stack.mapping_file().write_text(mapping_text(taxes=[*known["taxes"], added]))

    def tickets(self, about: str | None = None) -> list[dict[str, Any]]:
        return [ticket for ticket in self.zendesk.tickets() if (about or self.cause) in ticket["subject"]]

    def comes(self, right, seconds: float = 60, *, about: str | None = None) -> dict[str, Any]:
        """Waits until there is one ticket of the cause and it is right; more than one is a failure at once."""

        def look() -> bool:
            found = self.tickets(about)
            assert len(found) <= 1, found
            return len(found) == 1 and right(found[0])

        try:
            wait_until(look, seconds, "the ticket is right", interval=0.2)
        except Exception as error:
            raise AssertionError(f"tickets: {self.tickets(about)}; of all: {[ticket['subject'] for ticket in self.zendesk.tickets()]}") from error
        return self.tickets(about)[0]

    def is_solved(self, seconds: float = 90) -> dict[str, Any]:
        return self.comes(lambda ticket: ticket["status"] == "solved", seconds)

    def commands_are_understood(self, text: str) -> None:
        """What a ticket tells people to type: 2 is synclinectl's word for a command it does not know."""
        commands = re.findall(r"synclinectl ([a-z]+ [a-z-]+)", text)
        assert commands
        for command in commands:
            program = [str(self.flow.stack.bin / "synclinectl"), "--targets", str(self.flow.stack.targets_file), *command.split()]
            done = subprocess.run(program, capture_output=True, text=True, timeout=60)
            assert done.returncode in (0, 1), f"{command}: {done.stderr}"
