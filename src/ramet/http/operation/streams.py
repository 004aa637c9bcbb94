"""Server-sent events (WHATWG HTML, section 9.2): keep-alive comments, an end when the client or the server goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from ramet.clock import Clock
from ramet.contract.web.request import Receive
from ramet.contract.web.responses import Message
from ramet.tasks import Spawn, first_of

Send = Callable[[Any], Awaitable[None]]
HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)
KEEP_ALIVE = b": still here\n\n"
FIRST_SECONDS = 0.1
_END = object()


@dataclass(frozen=True, slots=True)
class _Failed:
    error: Exception


def encode_event(value: Any) -> bytes:
    """One event on the wire."""
    if not isinstance(value, Message):
        return b"data: " + msgspec.json.encode(value) + b"\n\n"
    lines = [b"data: " + msgspec.json.encode(value.data)]
    if value.id is not None:
        lines.append(b"id: " + _line(value.id))
    if value.event is not None:
        lines.append(b"event: " + _line(value.event))
    if value.retry_seconds is not None:
        lines.append(b"retry: %d" % int(value.retry_seconds * 1000))
    return b"\n".join(lines) + b"\n\n"


def _line(text: str) -> bytes:
    return text.replace("\r", " ").replace("\n", " ").replace("\0", "").encode()


@dataclass(frozen=True, kw_only=True, slots=True)
class EventSender:
    """Sends what a generator yields until it ends, the client has gone, or the server closes."""

    clock: Clock
    spawn: Spawn
    closing: asyncio.Event
    keep_alive_seconds: float
    describe: Callable[[Exception], bytes]
    """What to send, as the data of an event named "error", when the generator fails after the answer has begun."""

    async def run(self, events: AsyncIterator[Any], receive: Receive, send: Send, start: Any) -> None:
        """Send `start` and the events. What goes wrong before the first event is raised, before anything is sent."""
        gone = self.spawn(_disconnected(receive))
        closing = self.spawn(self.closing.wait())
        ends = {gone, closing}
        pending = self.spawn(_next(events))
        try:
            await first_of({pending, *ends}, self.clock.sleep(FIRST_SECONDS), self.spawn)
            if pending.done() and isinstance(failed := pending.result(), _Failed):
                raise failed.error
            await send(start)
            while not (gone.done() or closing.done()):
                if not pending.done():
                    await first_of({pending, *ends}, self.clock.sleep(self.keep_alive_seconds), self.spawn)
                if not pending.done():
                    if not (gone.done() or closing.done()):
                        await send(_piece(KEEP_ALIVE))
                    continue
                piece, more = self._piece_of(pending)
                if piece:
                    await send(_piece(piece))
                if not more:
                    break
                pending = self.spawn(_next(events))
            if not gone.done():
                await send(_piece(b""))
        finally:
            await self._finish(events, {pending, *ends})

    def _piece_of(self, pending: asyncio.Task[Any]) -> tuple[bytes, bool]:
        value = pending.result()
        if isinstance(value, _Failed):  # the answer has begun: the client is told within it
            return b"event: error\ndata: " + self.describe(value.error) + b"\n\n", False
        return (b"", False) if value is _END else (encode_event(value), True)

    async def _finish(self, events: AsyncIterator[Any], tasks: set[asyncio.Task[Any]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        close = getattr(events, "aclose", None)
        if close is not None:
            await close()


def _piece(data: bytes) -> Any:
    return {"type": "http.response.body", "body": data, "more_body": bool(data)}


async def _next(events: AsyncIterator[Any]) -> Any:
    try:
        return await anext(events, _END)
    except Exception as error:  # noqa: BLE001 - carried to the stream, which knows whether it can still be raised
        return _Failed(error)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
