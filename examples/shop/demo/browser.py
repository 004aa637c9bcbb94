"""As little of an HTTP client as the customers need: one connection each, JSON both ways."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import msgspec


class Answer(msgspec.Struct, frozen=True):
    status: int
    body: Any


class Browser:
    """Talks to one server, `host:port`; requests go one after the other."""

    def __init__(self, address: str) -> None:
        self.token: str | None = None
        self._address = address
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def request(self, method: str, path: str, body: Any = None) -> Answer:
        """Send a request, with a key under which it could be repeated.

        Raises: OSError or EOFError when the connection breaks.
        """
        content = self._request(method, path, body)
        if self._streams is not None:
            try:
                return await self._send(self._streams, content)
            except (asyncio.IncompleteReadError, ConnectionError):  # closed by the server in the pause; the key is kept
                self._streams[1].close()
        self._streams = await self._connect()
        return await self._send(self._streams, content)

    async def _send(self, streams: tuple[asyncio.StreamReader, asyncio.StreamWriter], content: bytes) -> Answer:
        streams[1].write(content)
        return await _read(streams[0])

    async def wait_for_the_end(self, path: str) -> None:
        """Listen to a stream of events until the server ends it."""
        reader, writer = await self._connect()
        try:
            writer.write(self._request("GET", path, None, "connection: close"))
            while await reader.read(4096):
                pass
        finally:
            writer.close()

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, _, port = self._address.rpartition(":")
        return await asyncio.open_connection(host, int(port))

    def _request(self, method: str, path: str, body: Any, *headers: str) -> bytes:
        content = b"" if body is None else msgspec.json.encode(body)
        lines = [
            f"{method} {path} HTTP/1.1",
            f"host: {self._address}",
            "content-type: application/json",
            f"content-length: {len(content)}",
            f"idempotency-key: {uuid.uuid4().hex}",
            *headers,
        ]
        if self.token is not None:
            lines.append(f"authorization: Bearer {self.token}")
        return "\r\n".join([*lines, "", ""]).encode() + content


async def _read(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    lengths = [line.partition(":")[2] for line in head.split("\r\n") if line.startswith("content-length:")]
    content = await reader.readexactly(int(lengths[0]) if lengths else 0)
    return Answer(int(head.split()[1]), msgspec.json.decode(content) if content else None)
