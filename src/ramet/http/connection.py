"""One connection of the server: uvicorn's, with limits for the head of a request."""

from __future__ import annotations

import asyncio
import select
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

TOO_LONG = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: 29\r\nconnection: close\r\n\r\nThe head of this is too long."
)


class Gathering:
    """A transport that keeps the head of an answer until the end of the turn, so that it leaves with the body."""

    longest_copied: ClassVar[int] = 64 * 1024

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        head, self._head = self._head, b""
        if head and len(data) > self.longest_copied:
            self._transport.write(head)
            self._transport.write(data)
        elif head or not data.startswith(b"HTTP/"):
            self._transport.write(head + data)
        else:
            self._head = data
            self._loop.call_soon(self._flush)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)


class Connection(HttpToolsProtocol):
    """Broken off when the head of a request is longer than 64 KiB, or takes longer than ten seconds to arrive; when as
    much comes that is neither a head nor a body (trailers, extensions of chunks), or a body goes on for longer than
    that after it was answered.

    When the server ends, whoever has come and not asked yet is listened to for a second, and a connection that was kept
    for a quarter of one: a request that is on its way is answered, and told that it was the last.
    """

    longest_head: ClassVar[int] = 64 * 1024
    head_seconds: ClassVar[float] = 10.0
    last_head_seconds: ClassVar[float] = 1.0
    last_request_seconds: ClassVar[float] = 0.25

    _head_since: float | None = None
    _length = 0  # of what has come since the last head, or piece of a body, that was whole
    _is_ahead = False
    _is_whole = True
    _is_leaving = False
    _look: asyncio.TimerHandle

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self.transport = Gathering(transport, self.loop)  # type: ignore[assignment]  # it is one in all that is used
        self._head_since = self.loop.time()
        self._look_later(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._look.cancel()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_since, self._is_whole = self.loop.time(), False

    def on_headers_complete(self) -> None:
        self._head_since, self._is_ahead = None, True
        super().on_headers_complete()
        if self._is_leaving:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        self._is_ahead = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_ahead = self._is_whole = True
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        self._is_ahead = False
        super().data_received(data)
        self._length = 0 if self._is_ahead else self._length + len(data)
        if self._length > self.longest_head and not self.transport.is_closing():
            self.transport.write(TOO_LONG)
            self.transport.close()

    def shutdown(self) -> None:
        self._is_leaving = True
        if self._is_answering:
            self.cycle.keep_alive = False
            return
        self._look.cancel()
        if self._head_since is None:
            self._look_later(self.last_request_seconds)
        else:
            self._look_later(max(self._head_since + self.last_head_seconds - self.loop.time(), 0))

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _look_later(self, seconds: float) -> None:
        self._look = self.loop.call_later(seconds, self._look_at_the_clock)

    def _look_at_the_clock(self) -> None:
        """One timer for each connection, and none for each request."""
        since, now = self._head_since, self.loop.time()
        left = self.head_seconds if since is None else since + self.head_seconds - now
        if self._is_leaving and not self._is_answering:
            self._leave()
        elif (left <= 0 or not (self._is_whole or since)) and not self._is_answering:
            self.transport.close()
        else:
            self._look_later(max(left, self.head_seconds / 10))

    def _leave(self) -> None:
        """Close, unless there is something to read at this moment."""
        unread = select.poll()
        unread.register(self.transport.get_extra_info("socket").fileno(), select.POLLIN)
        if unread.poll(0):
            self._look_later(self.last_request_seconds)
        else:
            self.transport.close()
