"""A Service of Kubernetes in small: TCP, round robin over the endpoints that are ready; connections that stand are left alone."""

from __future__ import annotations

import asyncio
import threading

from stack.process import free_port

Address = tuple[str, int]


class Balancer:
    def __init__(self, port: int = 0) -> None:
        self.port = port or free_port()
        self.refused = 0  # Connections that no endpoint took.
        self._endpoints: list[Address] = []
        self._next = 0
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"balancer {self.port}", daemon=True)

    def start(self) -> Balancer:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, "127.0.0.1", self.port), self._loop).result(10)
        return self

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)

    def add(self, endpoint: Address) -> None:
        with self._lock:
            if endpoint not in self._endpoints:
                self._endpoints.append(endpoint)

    def remove(self, endpoint: Address) -> None:
        with self._lock:
            if endpoint in self._endpoints:
                self._endpoints.remove(endpoint)

    def endpoints(self) -> list[Address]:
        with self._lock:
            return list(self._endpoints)

    def _turn(self) -> Address | None:
        with self._lock:
            if not self._endpoints:
                return None
            self._next += 1
            return self._endpoints[self._next % len(self._endpoints)]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        endpoint = self._turn()
        try:
            if endpoint is None:
                raise ConnectionRefusedError
            up_reader, up_writer = await asyncio.open_connection(*endpoint)
        except OSError:
            self.refused += 1
            writer.transport.abort()
            return
        both = [asyncio.ensure_future(_pipe(reader, up_writer)), asyncio.ensure_future(_pipe(up_reader, writer))]
        # Whoever ends first ends both: HTTP has no half-closed connections worth keeping.
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for task in both:
            task.cancel()
        for end in (writer, up_writer):
            end.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
