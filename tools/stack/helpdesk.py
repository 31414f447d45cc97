"""The help desk of a stack: a Zendesk account as a sandbox, and helpdesk-sync before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .process import free_port
from .stock import Sandbox

TOKEN = "sandbox-token"
AGENT = "agent@example.com"


@dataclass
class Helpdesk:
    """What to start: give it to Stack."""

    name: str = "main"
    instances: int = 1
    settings: Mapping[str, object] = field(default_factory=dict)  # Further keys of helpdesk-sync.


class ZendeskSandbox(Sandbox):
    def __init__(self, folder: Path, *, detached: bool) -> None:
        port, control_port = free_port(), free_port()
        arguments = ["--port", str(port), "--control-port", str(control_port), "--email", AGENT, "--token", TOKEN]
        super().__init__("sandbox-zendesk", folder, "tools/sandbox/zendesk/main.mjs", arguments, detached=detached)
        self.url = f"http://127.0.0.1:{port}"
        self.control_url = f"http://127.0.0.1:{control_port}"

    def tickets(self) -> list[dict[str, Any]]:
        return self.control("tickets")


def settings(zendesk: ZendeskSandbox, token_file: Path, name: str) -> dict[str, object]:
    """What helpdesk-sync's configuration needs beside the kit's."""
    token_file.write_text(f"{TOKEN}\n")
    return {
        "name": name,
        "zendesk": {"url": zendesk.url, "email": AGENT, "api_token_file": str(token_file)},
        "requester": {"email": "shop-operations@example.com"},
    }
