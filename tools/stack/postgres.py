"""A PostgreSQL with a data folder of its own and the settings it ships with (fsync, synchronous_commit, full_page_writes on)."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

from .paths import postgres_bin
from .process import Process, StackError, free_port, port_open, wait_until


class Postgres:
    def __init__(self, folder: Path, *, detached: bool = False) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/syncline"
        self.process = Process(
            "postgres",
            [
                str(postgres_bin() / "postgres"),
                *("-D", str(self.data), "-p", str(self.port)),
                *("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=200"),
                *("-c", "shared_buffers=256MB", "-c", "max_wal_size=2GB"),
            ],
            folder / "postgres.log",
            user="postgres",
            detached=detached,
            stop_signal=signal.SIGINT,  # Fast shutdown.
        )

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.data.exists():
            self.initialise()
        self.process.start()

    def initialise(self) -> None:
        command = [str(postgres_bin() / "initdb"), "-D", str(self.data), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]
        if os.getuid() == 0:
            for parent in [self.folder, *self.folder.parents]:
                # The server's own user has to reach its folder.
                if not os.stat(parent).st_mode & 0o001:
                    raise StackError(f"{parent} is closed to other users, and PostgreSQL may not run as root; choose another folder or chmod o+x it")
            shutil.chown(self.folder, "postgres", "postgres")
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder)
        if done.returncode != 0:
            raise StackError(f"initdb failed:\n{done.stderr[-1500:]}")

    def wait_ready(self, seconds: float = 30) -> None:
        self.wait_answers(seconds)
        if self.query("select 1 from pg_database where datname = 'syncline'", "postgres") == "":
            self.query("create database syncline", "postgres")

    def wait_answers(self, seconds: float = 30) -> None:
        """Without a database of ours in it."""

        def ready() -> bool:
            if not self.process.running():
                if "pre-existing shared memory block" not in self.process.tail():
                    raise StackError(f"PostgreSQL ended at start:\n{self.process.tail()}")
                self.process.start()  # Backends of the server that was killed are still ending.
                return False
            return port_open(self.port) and self._psql("postgres", "select 1").returncode == 0

        wait_until(ready, seconds, f"PostgreSQL listens on port {self.port} (log: {self.process.log})", interval=0.1)

    def _psql(self, database: str, sql: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", database, "-AtX", "-v", "ON_ERROR_STOP=1", "-c", sql],
            capture_output=True,
            text=True,
        )

    def query(self, sql: str, database: str = "syncline") -> str:
        """Unaligned text of the result, for looks from outside; services are asked through their admin ports."""
        done = self._psql(database, sql)
        if done.returncode != 0:
            raise StackError(f"psql: {done.stderr.strip()}")
        return done.stdout.strip()

    def destroy(self) -> None:
        """The server and everything it stored."""
        self.process.kill()
        shutil.rmtree(self.data)

    def start_empty(self) -> None:
        self.start()
        self.wait_answers()

    def adopt(self, data: Path) -> None:
        """Starts on a copy of that data folder."""
        shutil.copytree(data, self.data)
        if os.getuid() == 0:
            for path in [self.data, *self.data.rglob("*")]:
                shutil.chown(path, "postgres", "postgres")
        self.data.chmod(0o700)
        self.process.start()
        self.wait_answers()

    def restart(self) -> None:
        self.process.start()
        self.wait_ready()
