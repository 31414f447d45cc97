"""A bare JSON-2 and JSON-RPC client for the contract tests: it hides nothing that the server does."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

CREATE_ONCE = {"mode": "update", "noupdate": True, "tz": "UTC"}
OVERWRITE = {"tz": "UTC"}


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def error(self) -> str:
        """Class name of the exception, empty when the call succeeded."""
        if self.status == 200:
            return ""
        body = self.json
        return body["name"] if isinstance(body, dict) else str(body)

    @property
    def message(self) -> str:
        return self.json["message"]

    def ok(self) -> Any:
        assert self.status == 200, f"{self.status}: {self.text[:600]}"
        return self.json


class Odoo:
    def __init__(self, url: str, database: str, key: str, login: str = "", limited_key: str = "") -> None:
        parts = urlsplit(url)
        self.url, self.database, self.key, self.login, self.limited_key = url, database, key, login, limited_key
        self.tls = parts.scheme == "https"
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or (443 if self.tls else 80)

    def connection(self, timeout: float = 120) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self.tls else http.client.HTTPConnection
        return kind(self.host, self.port, timeout=timeout)

    def request(self, method: str, path: str, body: str | bytes | None = None, headers: dict[str, str] | None = None, timeout: float = 120) -> Answer:
        connection = self.connection(timeout)
        try:
            connection.request(method, path, body=body.encode() if isinstance(body, str) else body, headers=headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode())
        finally:
            connection.close()

    def headers(self, key: str | None = None) -> dict[str, str]:
        found = {"Authorization": f"bearer {key or self.key}", "Content-Type": "application/json; charset=utf-8"}
        return {**found, "X-Odoo-Database": self.database} if self.database else found

    def call(self, model: str, method: str, *, key: str | None = None, timeout: float = 120, **arguments: Any) -> Answer:
        return self.request("POST", f"/json/2/{model}/{method}", json.dumps(arguments), self.headers(key), timeout)

    def rpc(self, service: str, method: str, *arguments: Any, id: int = 1) -> Answer:
        envelope = {"jsonrpc": "2.0", "method": "call", "id": id, "params": {"service": service, "method": method, "args": list(arguments)}}
        return self.request("POST", "/jsonrpc", json.dumps(envelope), {"Content-Type": "application/json"})

    # Shorthands.

    def load(self, model: str, fields: Sequence[str], rows: Iterable[Sequence[str]], context: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
        return self.call(
            model, "load", fields=list(fields), data=[list(row) for row in rows], context=CREATE_ONCE if context is None else context, **options
        ).ok()

    def read(self, model: str, ids: Sequence[int], *fields: str) -> list[dict[str, Any]]:
        return self.call(model, "read", ids=list(ids), fields=list(fields)).ok()

    def read_one(self, model: str, id: int, *fields: str) -> dict[str, Any]:
        [row] = self.read(model, [id], *fields)
        return row

    def search_read(self, model: str, domain: list[Any], *fields: str, **options: Any) -> list[dict[str, Any]]:
        return self.call(model, "search_read", domain=domain, fields=list(fields), **options).ok()

    def write(self, model: str, ids: Sequence[int], **values: Any) -> Answer:
        return self.call(model, "write", ids=list(ids), vals=values)

    def count_by_external_id(self, module: str, name: str) -> int:
        return len(self.search_read("ir.model.data", [["module", "=", module], ["name", "=", name]], "res_id"))


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Runs `work(0)` … `work(count-1)` on threads that start together; their results in order."""
    results: list[Any] = [None] * count
    barrier = threading.Barrier(count)

    def run(number: int) -> None:
        barrier.wait()
        results[number] = work(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def messages(answer: dict[str, Any]) -> list[str]:
    return [message["message"] for message in answer["messages"]]
