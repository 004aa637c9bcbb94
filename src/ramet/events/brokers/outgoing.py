"""Messages on their way into a broker's store: in packs, pipelined, those of one key one after the other."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ramet.clock import Clock
from ramet.events.base import Delivery, Done, Message, Sink
from ramet.events.brokers.wire import at_most_bytes

WINDOW = 1000
PACK = 100
PACK_BYTES = 256 * 1024
PACKS = 16
OVERDUE_SECONDS = 3.0
AGAIN_SECONDS = 0.25
ASIDE_SECONDS = 30.0


class _Item(NamedTuple):
    message: Message
    done: Done


class Pack(NamedTuple):
    """What travels and is stored as one, wholly or not at all; `stored` and `failed` want its ticket."""

    ticket: int
    route: str
    messages: Sequence[Message]


class Outgoing(Sink):
    """The sink of a durable broker's outlet: whoever writes to the connection asks for the `next` pack.

    A pack holds what may be sent at that moment on one route, at most `most` messages and, where they are several, as
    many bytes as the connection takes, and costs the broker one sync of its disk. Nobody waits for it to fill; while
    `packs` of them wait for the broker's confirmation the next ones gather, `window` messages in all. Messages of a key
    are in one pack, or the next is sent when the one before is stored, so that whatever is refused, lost or sent again,
    the store has the messages of a key in order.

    Without a connection (`pause`) nothing is sent and there is no room; after `resume` all that was not confirmed is
    sent again, in the same packs. What is not confirmed within `overdue_seconds` is sent again too (None: a connection
    that is there confirms everything in the end).
    """

    def __init__(
        self,
        clock: Clock,
        *,
        route: Callable[[Message], str],
        most: int = PACK,
        packs: int = PACKS,
        window: int = WINDOW,
        overdue_seconds: float | None = OVERDUE_SECONDS,
    ) -> None:
        self._clock = clock
        self._route = route
        self._most = most
        self._most_bytes = PACK_BYTES
        self._most_packs = packs
        self._window = window
        self._patience = math.inf if overdue_seconds is None else overdue_seconds
        self._count = 0
        self._ready: dict[str, deque[_Item]] = {}
        self._behind: dict[str, deque[_Item]] = {}
        self._packs: dict[int, tuple[str, list[_Item]]] = {}
        self._due: dict[int, float] = {}
        self._again: deque[int] = deque()
        self._aside: set[int] = set()
        self._tickets = 0
        self._connected = False
        self._sendable = asyncio.Event()
        self._roomy = asyncio.Event()

    def put(self, delivery: Delivery, done: Done) -> None:
        self._count += 1
        if self._count >= self._window:
            self._roomy.clear()
        item, key = _Item(delivery.message, done), delivery.message.key
        if key is not None:
            if key in self._behind:
                self._behind[key].append(item)
                return
            self._behind[key] = deque()
        self._make_ready(item)

    async def room(self) -> int:
        while not self._roomy.is_set():
            await self._roomy.wait()
        return max(1, self._window - self._count)

    async def next(self) -> Pack:
        """Wait for messages that may be sent."""
        while not self._may_send:
            self._sendable.clear()
            await self._sendable.wait()
        if self._again:
            ticket = self._again.popleft()
            self._aside.discard(ticket)
        else:
            self._tickets = ticket = self._tickets + 1
            self._packs[ticket] = self._packed()
        self._due[ticket] = self._clock.monotonic() + self._patience
        route, items = self._packs[ticket]
        return Pack(ticket, route, [item.message for item in items])

    @property
    def _may_send(self) -> bool:
        more = self._ready and len(self._packs) - len(self._aside) < self._most_packs
        return self._connected and bool(self._again or more)

    def _packed(self) -> tuple[str, list[_Item]]:
        """The longest waiting route's messages, each with what waits behind it, as far as the pack goes."""
        route, ready = next(iter(self._ready.items()))
        items: list[_Item] = []
        room = self._most_bytes

        def take(queue: deque[_Item]) -> bool:
            nonlocal room
            if not queue or (items and (len(items) >= self._most or at_most_bytes(queue[0].message) > room)):
                return False
            items.append(queue.popleft())
            room -= at_most_bytes(items[-1].message)
            return True

        while take(ready):
            key = items[-1].message.key
            behind = self._behind[key] if key is not None else deque()
            while behind and self._route(behind[0].message) == route and take(behind):
                pass
        del self._ready[route]
        if ready:
            self._ready[route] = ready  # behind the other routes
        return route, items

    def stored(self, ticket: int) -> None:
        """The broker has it durably. Harmless when that is known already."""
        pack = self._packs.pop(ticket, None)
        if pack is None:
            return
        if self._due.pop(ticket, None) is None:
            self._again.remove(ticket)  # it was to be sent again, and the confirmation came late
        self._aside.discard(ticket)
        items = pack[1]
        self._count -= len(items)
        for key in dict.fromkeys(item.message.key for item in items if item.message.key is not None):
            if behind := self._behind[key]:
                self._make_ready(behind.popleft())
            else:
                del self._behind[key]
        if self._connected and self._count <= self._window // 2:
            self._roomy.set()
        self._note_ready()
        for item in items:
            item.done()

    def failed(self, ticket: int) -> None:
        """The broker did not take it; it is sent again in a moment."""
        if ticket in self._due:
            self._due[ticket] = self._clock.monotonic() + AGAIN_SECONDS

    def refused(self, ticket: int) -> None:
        """The broker takes no such message; it is sent again after a while, and only those of its keys wait for it."""
        if ticket in self._due:
            self._due[ticket] = self._clock.monotonic() + ASIDE_SECONDS
            self._aside.add(ticket)
            self._note_ready()

    def pause(self) -> None:
        """There is no connection, or the broker takes nothing: whether what was sent has arrived is not known."""
        self._connected = False
        self._roomy.clear()

    def resume(self, most_bytes: int = PACK_BYTES) -> None:
        """There is a connection, for packs of that size: begin with what was sent and not confirmed, in its order."""
        self._connected = True
        self._most_bytes = most_bytes
        self._send_again(sorted(self._due))
        if self._count < self._window:
            self._roomy.set()

    def repeat_overdue(self) -> None:
        """Send again what was not confirmed in time."""
        now = self._clock.monotonic()
        if self._connected:
            self._send_again([ticket for ticket, due in self._due.items() if due <= now])

    def _send_again(self, tickets: list[int]) -> None:
        for ticket in tickets:
            del self._due[ticket]
        self._again.extendleft(reversed(tickets))
        self._note_ready()

    def _make_ready(self, item: _Item) -> None:
        self._ready.setdefault(self._route(item.message), deque()).append(item)
        self._note_ready()

    def _note_ready(self) -> None:
        if self._may_send:
            self._sendable.set()
