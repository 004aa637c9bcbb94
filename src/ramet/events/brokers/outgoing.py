"""Messages on their way into a broker's store: pipelined, those of one key one after the other."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import NamedTuple

from ramet.clock import Clock
from ramet.events.base import Delivery, Done, Message, Sink

WINDOW = 1000
OVERDUE_SECONDS = 3.0
AGAIN_SECONDS = 0.25


class _Item(NamedTuple):
    message: Message
    done: Done


class Outgoing(Sink):
    """The sink of a durable broker's outlet: whoever writes to the connection asks for the `next`.

    Up to `window` messages wait for the broker's confirmation at a time. The next message of a key is sent when the one
    before is stored, so that whatever is refused, lost or sent again, the store has the messages of a key in order.
    Without a connection (`pause`) nothing is sent and there is no room; after `resume` all that was not confirmed is
    sent again. What is not confirmed within `overdue_seconds` is sent again too (None: a connection that is there
    confirms everything in the end).
    """

    def __init__(self, clock: Clock, *, window: int = WINDOW, overdue_seconds: float | None = OVERDUE_SECONDS) -> None:
        self._clock = clock
        self._window = window
        self._patience = math.inf if overdue_seconds is None else overdue_seconds
        self._waiting: dict[int, _Item] = {}
        self._behind: dict[str, deque[int]] = {}
        self._ready: deque[int] = deque()
        self._sent: dict[int, float] = {}
        self._tickets = 0
        self._connected = False
        self._sendable = asyncio.Event()
        self._roomy = asyncio.Event()

    def put(self, delivery: Delivery, done: Done) -> None:
        self._tickets += 1
        ticket = self._tickets
        self._waiting[ticket] = _Item(delivery.message, done)
        if len(self._waiting) >= self._window:
            self._roomy.clear()
        key = delivery.message.key
        if key is not None:
            if key in self._behind:
                self._behind[key].append(ticket)
                return
            self._behind[key] = deque()
        self._ready.append(ticket)
        self._note_ready()

    async def room(self) -> int:
        while not self._roomy.is_set():
            await self._roomy.wait()
        return max(1, self._window - len(self._waiting))

    async def next(self) -> tuple[int, Message]:
        """Wait for a message that may be sent; its ticket is what `stored` and `failed` want."""
        while not (self._connected and self._ready):
            self._sendable.clear()
            await self._sendable.wait()
        ticket = self._ready.popleft()
        self._sent[ticket] = self._clock.monotonic() + self._patience
        return ticket, self._waiting[ticket].message

    def stored(self, ticket: int) -> None:
        """The broker has it durably. Harmless when that is known already."""
        item = self._waiting.pop(ticket, None)
        if item is None:
            return
        if self._sent.pop(ticket, None) is None:
            self._ready.remove(ticket)  # it was to be sent again, and the confirmation came late
        key = item.message.key
        if key is not None:
            behind = self._behind[key]
            if behind:
                self._ready.append(behind.popleft())
                self._note_ready()
            else:
                del self._behind[key]
        if self._connected and len(self._waiting) <= self._window // 2:
            self._roomy.set()
        item.done()

    def failed(self, ticket: int) -> None:
        """The broker did not take it; it is sent again in a moment."""
        if ticket in self._sent:
            self._sent[ticket] = self._clock.monotonic() + AGAIN_SECONDS

    def pause(self) -> None:
        """There is no connection: whether what was sent has arrived is not known."""
        self._connected = False
        self._roomy.clear()

    def resume(self) -> None:
        """There is a connection: begin with what was sent and not confirmed, in its order."""
        self._connected = True
        self._send_again(sorted(self._sent))
        if len(self._waiting) < self._window:
            self._roomy.set()

    def repeat_overdue(self) -> None:
        """Send again what was not confirmed in time."""
        now = self._clock.monotonic()
        if self._connected:
            self._send_again([ticket for ticket, due in self._sent.items() if due <= now])

    def _send_again(self, tickets: list[int]) -> None:
        for ticket in tickets:
            del self._sent[ticket]
        self._ready.extendleft(reversed(tickets))
        self._note_ready()

    def _note_ready(self) -> None:
        if self._connected and self._ready:
            self._sendable.set()
