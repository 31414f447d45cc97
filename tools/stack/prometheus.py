"""Prometheus, unpacked from its Debian package into the project's tool folder."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from pathlib import Path

import yaml

from .paths import PROMETHEUS
from .process import Process, free_port, wait_until


class Prometheus:
    def __init__(self, folder: Path, targets: dict[str, str], rules: list[Path], *, detached: bool = False, interval: str = "2s") -> None:
        """`targets`: service name → host:port of its admin door."""
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.targets = targets
        self.rules = rules
        self.interval = interval
        self.process = Process(
            "prometheus",
            [
                str(PROMETHEUS / "prometheus"),
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--log.level=warn",
            ],
            folder / "prometheus.log",
            detached=detached,
        )

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        config = {
            "global": {"scrape_interval": self.interval, "evaluation_interval": self.interval},
            "rule_files": [str(path) for path in self.rules],
            "scrape_configs": [
                {"job_name": "syncline", "static_configs": [{"targets": [address], "labels": {"deployment": name}} for name, address in self.targets.items()]},
                {"job_name": "prometheus", "static_configs": [{"targets": [f"127.0.0.1:{self.port}"]}]},
            ],
        }
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(config, sort_keys=False))
        self.process.start()

    def wait_ready(self, seconds: float = 30) -> None:
        wait_until(self._ready, seconds, f"Prometheus is ready on {self.url} (log: {self.process.log})", interval=0.1)

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def query(self, expression: str) -> list[dict[str, object]]:
        url = f"{self.url}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]["result"]

    def value(self, expression: str) -> float | None:
        """The single value of an expression, None when there is no series."""
        rows = self.query(expression)
        return float(rows[0]["value"][1]) if rows else None
