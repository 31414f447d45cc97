"""The sandbox Odoo as a child process, and its control door."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

from odoo_client import Odoo

MAIN = Path(__file__).resolve().parents[2] / "tools/sandbox/odoo/main.mjs"


class Sandbox:
    """Started by the constructor (its ready line is awaited), stopped by close()."""

    def __init__(self, *options: str) -> None:
        self.options = options
        self.start()

    def start(self, *more: str) -> None:
        self.process = subprocess.Popen(["node", str(MAIN), *self.options, *more], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line, f"the sandbox ended with {self.process.wait()}"
        self.ready = json.loads(line)
        self.client = Odoo(self.ready["url"], self.ready["database"], "sandbox-key", self.ready["login"], "sandbox-limited-key")

    def control(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.ready['control_url']}/{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def fault(self, **rule: Any) -> int:
        return self.control("POST", "faults", rule)["ids"][0]

    def heal(self) -> None:
        self.control("DELETE", "faults")

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        self.process.stdout.close()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)
        self.process.stdout.close()
