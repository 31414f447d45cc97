"""One child process: started, watched, killed, stopped and continued by the id that was kept."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class StackError(Exception):
    """Something of the local stack did not work; the text names the cause and where to look."""


_handed_out: set[int] = set()


def free_port() -> int:
    """A loopback port nobody listens on now. Not handed out twice by one process.

    From below the range the kernel takes the near end of connections from: otherwise any connection of the machine could have it
    before its server starts, or while its server is restarted.
    """
    first_ephemeral = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(min(10_000, first_ephemeral - 1_000), first_ephemeral)
        if port in _handed_out:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _handed_out.add(port)
        return port


def wait_until(condition: Callable[[], object], seconds: float, what: str, interval: float = 0.05) -> object:
    """Polls until the condition is truthy and returns its value; StackError naming `what` when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise StackError(f"gave up after {seconds:.0f} s: {what}")
        time.sleep(interval)


def port_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Process:
    """A child with its command line kept, so that it can be started again as it was."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
        detached: bool = False,
        stop_signal: int = signal.SIGTERM,
        stop_seconds: float = 30,
    ) -> None:
        self.name = name
        self.command = list(command)
        self.log = log
        self.env = dict(env or {})
        self.user = user if os.getuid() == 0 else None
        self.detached = detached
        self.stop_signal = stop_signal
        self.stop_seconds = stop_seconds
        self.child: subprocess.Popen[bytes] | None = None
        self.kept_pid: int | None = None

    @property
    def pid(self) -> int:
        if self.child is not None:
            return self.child.pid
        if self.kept_pid is not None:
            return self.kept_pid
        raise StackError(f"{self.name} was not started")

    def start(self, extra_env: Mapping[str, str] | None = None) -> Process:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        command = self.command
        if self.user:
            death = [] if self.detached else ["--pdeathsig", "KILL"]
            command = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", *death, *command]
        environment = {**os.environ, **self.env, **(extra_env or {})}
        with open(self.log, "ab") as out:
            self.child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
                preexec_fn=None if self.detached or self.user else _die_with_parent,
            )
        return self

    def running(self) -> bool:
        if self.child is not None:
            return self.child.poll() is None
        if self.kept_pid is None:
            return False
        try:
            os.kill(self.kept_pid, 0)
        except ProcessLookupError:
            return False
        return not _is_zombie(self.kept_pid)

    def exit_code(self) -> int | None:
        return self.child.poll() if self.child is not None else None

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """kill -9, and reaps it."""
        if self.running():
            self.signal(signal.SIGKILL)
        self.wait(10)

    def pause(self) -> None:
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.signal(signal.SIGCONT)

    def wait(self, seconds: float) -> int | None:
        if self.child is not None:
            try:
                return self.child.wait(seconds)
            except subprocess.TimeoutExpired as error:
                raise StackError(f"{self.name} (pid {self.pid}) did not end within {seconds:.0f} s; see {self.log}") from error
        wait_until(lambda: not self.running(), seconds, f"{self.name} (pid {self.kept_pid}) ends")
        return None

    def stop(self) -> int | None:
        """Asks it to end and waits; kills it when it does not end in time. Returns its exit code."""
        if (self.child is None and self.kept_pid is None) or not self.running():
            return self.exit_code()
        self.signal(signal.SIGCONT)
        self.signal(self.stop_signal)
        try:
            return self.wait(self.stop_seconds)
        except StackError:
            self.kill()
            return None

    def tail(self, lines: int = 15) -> str:
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def memory_pss(self) -> int:
        """Proportional set size in bytes."""
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
        return 0

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _die_with_parent() -> None:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True
