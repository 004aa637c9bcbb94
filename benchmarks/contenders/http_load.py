"""The load: connections that are kept alive, each with one request under way, for some seconds."""

from __future__ import annotations

import asyncio
from itertools import cycle
from typing import Any
from urllib.parse import urlsplit

import uvloop

from benchmarks.contenders import contend
from benchmarks.machine import pin

END = b"\r\n\r\n"
LENGTH = b"content-length: "


class Load:
    """Counts the answers until it is stopped."""

    def __init__(self) -> None:
        self.answers = 0
        self.stopped = False
        self.problem: str | None = None


class Connection(asyncio.Protocol):
    """One request after the other; each answer must be complete and good."""

    def __init__(self, requests: list[bytes], load: Load) -> None:
        self._requests = cycle(requests)
        self._load = load
        self._received = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._received += data
        head = self._received.find(END)
        if head < 0:
            return
        if not self._received.startswith(b"HTTP/1.1 20"):
            self._load.problem = self._received.decode("latin-1")
            self._transport.close()
            return
        at = self._received.lower().find(LENGTH) + len(LENGTH)
        length = int(self._received[at : self._received.index(b"\r\n", at)])
        if len(self._received) < head + len(END) + length:
            return
        self._received = b""
        self._load.answers += 1
        if self._load.stopped:
            self._transport.close()
        else:
            self._transport.write(next(self._requests))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._load.stopped and self._load.problem is None:
            self._load.problem = f"the server closed the connection: {exc}"


async def load(url: str, requests: list[str], connections: int, seconds: float) -> dict[str, float]:
    """How many answers came, and in how many seconds."""
    loop, host = asyncio.get_running_loop(), urlsplit(url)
    found, raw = Load(), [request.encode("latin-1") for request in requests]
    started = loop.time()
    for _ in range(connections):
        await loop.create_connection(lambda: Connection(raw, found), host.hostname, host.port)
    await asyncio.sleep(seconds)
    found.stopped = True
    taken = loop.time() - started
    if found.problem is not None:
        raise RuntimeError(found.problem)
    return {"answers": found.answers, "seconds": taken}


def measure(core: int, **arguments: Any) -> dict[str, float]:
    """Load a server from another core."""
    pin(core)
    arguments.pop("folder")
    return uvloop.run(load(**arguments))


if __name__ == "__main__":
    contend(measure)
