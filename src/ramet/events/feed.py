"""A feed: one outlet's reader of the outbox, at the outlet's own pace.

What a feed remembers is bounded, however long the outbox: a position, what is in flight, and for each key with too much
in flight the position from which its rows were passed over. Those are read again, by key, when the key has moved on, so
that a key that is stuck holds up nobody but itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from ramet.events.base import Delivery, Outlet
from ramet.events.outbox import Entry, Outbox

MOST_OF_A_KEY = 64
BATCH = 500
NOTE_EVERY = 500
WINDOW = 5000


class Feed:
    """Puts the rows with the wanted topics into an outlet; calls `settled` when the outlet is done with one."""

    def __init__(
        self, outlet: Outlet, topics: Callable[[str], bool], outbox: Outbox, *, settled: Callable[[Entry], None]
    ) -> None:
        self.name = outlet.name
        self.wants = topics
        self._sink = outlet.sink
        self._outbox = outbox
        self._settled = settled
        self._position = 0
        self._again_until = 0
        self._in_flight: set[int] = set()
        self._of_key: dict[str, int] = {}
        self._passed: dict[str, int] = {}
        self._late: list[Entry] | None = None
        self._resumable: set[str] = set()
        self._history = _History(outlet, topics)
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There may be more to read."""
        self._woken.set()

    def owes(self, entry: Entry) -> bool:
        """Whether this row is still to be handled here."""
        seq, message = entry
        if not self.wants(message.topic):
            return False
        return seq > self._position or seq in self._in_flight or self._has_passed(seq, message.key)

    def late(self, entry: Entry) -> None:
        """A row that was committed after others with greater numbers, which have been read, or are being read now."""
        if self.wants(entry.message.topic) and not self.owes(entry):
            self._put(entry)
        elif self._late is not None and entry.seq > self._position:
            self._late.append(entry)

    async def run(self, again_until: int) -> None:
        """Read for ever. Rows up to `again_until` may have been delivered before."""
        self._again_until = again_until
        self._position = await self._history.begin() if not self._position else self._position
        while True:
            self._woken.clear()
            await self._resume_keys()
            await self._history.note(self._lowest_open())
            limit = min(BATCH, await self._sink.room())
            entries = await self._read_with_late(limit)
            for entry in entries:
                self._take(entry)
            if not entries and not self._history.ends_at(self._position):
                await self._woken.wait()

    async def _read(self, limit: int) -> Sequence[Entry]:
        if self._history.reading:
            return await self._outbox.past(self._position, limit)
        return await self._outbox.after(self._position, limit)

    async def _read_with_late(self, limit: int) -> Sequence[Entry]:
        """As `_read`, with those that came while it was reading, and would be passed over."""
        late = self._late = []
        try:
            entries = await self._read(limit)
        finally:
            self._late = None
        passed = [entry for entry in late if entries and entry.seq < entries[-1].seq]
        return sorted({entry.seq: entry for entry in (*passed, *entries)}.values()) if passed else entries

    def _take(self, entry: Entry) -> None:
        self._position = entry.seq
        key = entry.message.key
        if not self.wants(entry.message.topic) or (key is not None and key in self._passed):
            return
        if key is not None and self._of_key.get(key, 0) >= MOST_OF_A_KEY:
            self._passed[key] = entry.seq
            return
        self._put(entry)

    def _put(self, entry: Entry) -> None:
        self._in_flight.add(entry.seq)
        key = entry.message.key
        if key is not None:
            self._of_key[key] = self._of_key.get(key, 0) + 1
        again = entry.seq <= self._again_until or self._history.wanted
        self._sink.put(Delivery(entry.message, again), partial(self._done, entry))

    def _done(self, entry: Entry) -> None:
        self._in_flight.discard(entry.seq)
        key = entry.message.key
        if key is not None:
            left = self._of_key[key] - 1
            if left:
                self._of_key[key] = left
            else:
                del self._of_key[key]
            if key in self._passed and left <= MOST_OF_A_KEY // 2:
                self._resumable.add(key)
                self._woken.set()
        if self._history.wanted:
            self._woken.set()
        self._settled(entry)

    async def _resume_keys(self) -> None:
        """Put the next rows of the keys that have moved on, reading a window of the outbox at a time."""
        while self._resumable:
            await self._resume(next(iter(self._resumable)))
            await asyncio.sleep(0)

    async def _resume(self, key: str) -> None:
        first, limit = self._passed[key], MOST_OF_A_KEY - self._of_key.get(key, 0)
        last = min(self._position, first + WINDOW - 1)
        entries = await self._outbox.of_key(key, first, last, limit, past=self._history.wanted)
        self._resumable.discard(key)
        next_row = last + 1 if len(entries) < limit else entries[-1].seq + 1
        if next_row > self._position:
            del self._passed[key]
        else:
            self._passed[key] = next_row
        for entry in entries:
            if self.wants(entry.message.topic):
                self._put(entry)
        if key in self._passed and self._of_key.get(key, 0) <= MOST_OF_A_KEY // 2:
            self._resumable.add(key)

    def _has_passed(self, seq: int, key: str | None) -> bool:
        return key is not None and seq >= self._passed.get(key, seq + 1)

    def _lowest_open(self) -> int:
        """Everything below this position is done."""
        return min((self._position + 1, *self._in_flight, *self._passed.values())) if self._history.wanted else 0


class _History:
    """Where a consumer that asked for the retained past stands: reading it, waiting for its end to be handled, done."""

    def __init__(self, outlet: Outlet, wants: Callable[[str], bool]) -> None:
        self._past = outlet.past
        self._topics = frozenset(topic for topic in outlet.topics or () if wants(topic))
        self._pending: frozenset[str] = frozenset()
        self._noted = 0
        self._end: int | None = None
        self.wanted = False

    @property
    def reading(self) -> bool:
        """Whether rows that were sent long ago are still to be read."""
        return self.wanted and self._end is None

    async def begin(self) -> int:
        """The position to begin reading at."""
        positions = await self._past.positions(self._topics) if self._past is not None and self._topics else {}
        self._pending = frozenset(positions)
        self.wanted = bool(positions)
        self._noted = min(positions.values(), default=0)
        return self._noted

    def ends_at(self, position: int) -> bool:
        """Nothing more was found: if that ends the past, go on with what is unsent."""
        if not self.reading:
            return False
        self._end = position
        return True

    async def note(self, lowest_open: int) -> None:
        """Everything below is handled: remember it, and that all is when all is."""
        if not self.wanted or self._past is None:
            return
        if self._end is not None and lowest_open > self._end:
            await self._past.reached(self._pending, None)
            self.wanted = False
        elif lowest_open > self._noted + NOTE_EVERY:
            self._noted = lowest_open - 1
            await self._past.reached(self._pending, self._noted)
