"""A database of a test's own on the server that tools/dev test starts."""

from __future__ import annotations

import subprocess
import urllib.parse

from stack.paths import postgres_bin


class Database:
    def __init__(self, server: str, name: str) -> None:
        self.url = urllib.parse.urlsplit(server)._replace(path=f"/{name}").geturl()
        self._server = server
        self._name = name

    def __enter__(self) -> Database:
        _psql(self._server, f"CREATE DATABASE {self._name}")
        return self

    def __exit__(self, *_: object) -> None:
        _psql(self._server, f"DROP DATABASE {self._name} WITH (FORCE)")

    def query(self, sql: str) -> str:
        return _psql(self.url, sql)


def _psql(address: str, sql: str) -> str:
    command = [str(postgres_bin() / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", address]
    done = subprocess.run(command, input=sql, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
