"""The floors: the same bytes back, and the least that carries questions and answers over one connection.

The latter is asyncio's protocols with a number and a length before each body, written together as Ramet does, and a
future for whoever waits. It knows no deadline, context, limit, policy, cancellation or end.
"""

from __future__ import annotations

import asyncio
from struct import Struct
from typing import Any

from benchmarks.contenders.transport_asked import answer_bytes

FLUSH_BYTES = 4096
_HEAD = Struct("!IQ")


class Echo(asyncio.Protocol):
    """The same bytes back."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._transport.set_write_buffer_limits(0)

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


class Echoed(asyncio.Protocol):
    """One request at a time, of an echo."""

    answered: asyncio.Future[bytes]

    def data_received(self, data: bytes) -> None:
        self.answered.set_result(data)


class _Framed(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._transport.set_write_buffer_limits(0)
        self._loop = asyncio.get_running_loop()
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._scheduled = False
        self._kept = b""

    def data_received(self, data: bytes) -> None:
        data = self._kept + data if self._kept else data
        at, end = 0, len(data)
        while end - at >= _HEAD.size:
            length, number = _HEAD.unpack_from(data, at)
            after = at + _HEAD.size + length
            if after > end:
                break
            self._take(number, data[at + _HEAD.size : after])
            at = after
        self._kept = data[at:]

    def _take(self, number: int, body: bytes) -> None:
        raise NotImplementedError

    def _send(self, number: int, body: bytes) -> None:
        self._pending.append(_HEAD.pack(len(body), number) + body)
        self._pending_bytes += len(body)
        if self._pending_bytes >= FLUSH_BYTES:
            self._flush()
        elif not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        if self._pending:
            self._transport.write(b"".join(self._pending))
            self._pending.clear()
            self._pending_bytes = 0


class BareServer(_Framed):
    """Answers what it is asked."""

    def _take(self, number: int, body: bytes) -> None:
        self._send(number, answer_bytes(body))


class BareClient(_Framed):
    """Asks, and hands each answer to who waits for it."""

    def __init__(self) -> None:
        self._number = 0
        self._waiting: dict[int, asyncio.Future[bytes]] = {}

    def ask(self, body: bytes) -> asyncio.Future[bytes]:
        """The answer, later."""
        self._number += 1
        answer = self._waiting[self._number] = self._loop.create_future()
        self._send(self._number, body)
        return answer

    def _take(self, number: int, body: bytes) -> None:
        self._waiting.pop(number).set_result(body)
