"""The outbox: events as rows of the publisher's transaction, read back in the order of the commits."""

from __future__ import annotations

import asyncio
from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from ramet.events.base import Message
from ramet.events.headers import decode_headers, encode_headers
from ramet.storage.base import Row, Storage, Write

COLUMNS = "seq, event_id, topic, key, version, payload, headers, at"
INSERT = (
    "INSERT INTO ramet_outbox (event_id, topic, key, version, payload, headers, at, sent_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_UNSENT = f"SELECT {COLUMNS} FROM ramet_outbox WHERE sent_at IS NULL AND seq > ? ORDER BY seq LIMIT ?"
_UNSENT_UP_TO = (
    f"SELECT {COLUMNS} FROM ramet_outbox WHERE sent_at IS NULL AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
)
_HEAD = f"SELECT {COLUMNS}, sent_at FROM ramet_outbox WHERE seq > ? ORDER BY seq LIMIT ?"
_PAST = f"SELECT {COLUMNS} FROM ramet_outbox WHERE seq > ? ORDER BY seq LIMIT ?"
_PAST_UP_TO = f"SELECT {COLUMNS} FROM ramet_outbox WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
_BETWEEN = "seq >= ? AND seq <= ? AND key = ? ORDER BY seq LIMIT ?"
_OF_KEY = f"SELECT {COLUMNS} FROM ramet_outbox WHERE sent_at IS NULL AND {_BETWEEN}"
_PAST_OF_KEY = f"SELECT {COLUMNS} FROM ramet_outbox WHERE {_BETWEEN}"
_SENT = (
    "SELECT COALESCE((SELECT MIN(seq) - 1 FROM ramet_outbox WHERE sent_at IS NULL), "
    "(SELECT MAX(seq) FROM ramet_outbox), 0)"
)
_MARK = "UPDATE ramet_outbox SET sent_at = ? WHERE seq >= ? AND seq <= ? AND sent_at IS NULL"
_OLDEST = "SELECT seq, at, sent_at FROM ramet_outbox WHERE seq > ? ORDER BY seq LIMIT ?"
_DELETE = "DELETE FROM ramet_outbox WHERE seq = ?"

_ANY_OF = ("?",) * 50
_LATE = f"SELECT {COLUMNS}, sent_at FROM ramet_outbox WHERE seq IN ({', '.join(_ANY_OF)}) ORDER BY seq"
MARGIN = 1000
"""How far below what is sent reading begins in a shared database, to see which numbers are missing there."""

MOST_GAPS = 1000
LIKELY_GAPS = 100
YOUNG_SECONDS = 2.0
OLD_GAPS_EVERY_SECONDS = 5.0
GAPS_KEPT_SECONDS = 60.0


def publish_write(message: Message, *, wanted: bool = True) -> Write:
    """The row of an event, to be deferred by the unit of work that publishes it; sent already where nobody wants it."""
    return Write(
        INSERT,
        [
            (
                message.id,
                message.topic,
                message.key,
                message.version,
                message.payload,
                encode_headers(message.headers).decode(),
                message.at,
                None if wanted else message.at,
            )
        ],
    )


class Entry(NamedTuple):
    """A message with its position in the outbox."""

    seq: int
    message: Message


def _entry(row: Row) -> Entry:
    seq, event_id, topic, key, version, payload, headers, at = row
    return Entry(
        seq,
        Message(
            id=event_id, topic=topic, key=key, version=version, payload=payload, headers=decode_headers(headers), at=at
        ),
    )


def ranges(positions: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Sorted positions as runs without gaps, each (first, last).

    >>> list(ranges([1, 2, 3, 7, 9, 10]))
    [(1, 3), (7, 7), (9, 10)]
    """
    first = last = None
    for position in sorted(positions):
        if last is None or first is None:
            first = last = position
        elif position == last + 1:
            last = position
        else:
            yield first, last
            first = last = position
    if first is not None and last is not None:
        yield first, last


Bring = Callable[[Sequence[Entry]], None]


def _to_nobody(_: Sequence[Entry]) -> None:
    return None


class Gaps:
    """Numbers that were missing when the head passed them: rolled back, or of a transaction that commits late."""

    def __init__(self, storage: Storage, now: Callable[[], float]) -> None:
        self._storage = storage
        self._now = now
        self._missing: dict[int, float] = {}
        self._looked_at = 0.0

    def note(self, head: int, seen: Sequence[int]) -> None:
        """The head has come from `head` to the last of these, and has seen no others."""
        now, there = self._now(), set(seen)
        first = max(head + 1, seen[-1] - MOST_GAPS)
        self._missing.update((seq, now) for seq in range(first, seen[-1]) if seq not in there)

    async def late(self) -> list[Entry]:
        """Rows that have come after all, each once. Young gaps are looked at each time, old ones now and then."""
        now = self._now()
        old = now - self._looked_at >= OLD_GAPS_EVERY_SECONDS
        if old:
            self._looked_at = now
            self._missing = {seq: at for seq, at in self._missing.items() if now - at < GAPS_KEPT_SECONDS}
        return await self._come(sorted(seq for seq, at in self._missing.items() if old or now - at < YOUNG_SECONDS))

    async def waited_for(self) -> list[Entry]:
        """Rows that have come after all, of those that the newest rows may have waited for: of the newest gaps."""
        return await self._come(sorted(self._missing)[-LIKELY_GAPS:])

    async def _come(self, wanted: list[int]) -> list[Entry]:
        rows: list[Row] = []
        for start in range(0, len(wanted), len(_ANY_OF)):
            some = wanted[start : start + len(_ANY_OF)]
            rows += await self._storage.fetch(_LATE, *some, *some[-1:] * (len(_ANY_OF) - len(some)))
        for row in rows:  # now that nothing can fail any more
            self._missing.pop(row[0], None)
        return [_entry(row[:-1]) for row in rows if row[-1] is None]


class Outbox:
    """Reads one service's outbox for several readers, and marks what is sent.

    A reader is a number: the last row it has seen. Readers at the head share what was read last, at most `kept`
    messages. SQLite has one writer at a time and numbers rows in the order of their commits. In a shared database a row
    may be committed after others with greater numbers: those that were missing when the head passed them are looked for
    again (`late`), also before the head goes on: a row whose transaction has waited for another's comes after it.
    `begin` says where reading begins there, and who brings to all readers what has come late.
    """

    def __init__(self, storage: Storage, *, kept: int = 1000) -> None:
        self._storage = storage
        self._kept = kept
        self._recent: list[Entry] = []
        self._below = 0  # every unsent row above this and up to `_head` is in `_recent`
        self._head = 0
        self._reading = asyncio.Lock()
        self._gaps: Gaps | None = None
        self._bring: Bring = _to_nobody

    async def begin(self, now: Callable[[], float], bring: Bring) -> None:
        """Read a database whose rows are not numbered in the order of their commits, from what is unsent on."""
        self._head = self._below = max(0, await self.sent() - MARGIN)
        self._gaps = Gaps(self._storage, now)
        self._bring = bring

    async def late(self) -> None:
        """Bring the rows of a shared database that were committed after others with greater numbers, each once."""
        async with self._reading:
            self._come_late(await self._gaps.late() if self._gaps is not None else ())

    def _come_late(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.seq > self._below:
                insort(self._recent, entry, key=lambda one: one.seq)
        self._bring(entries)

    async def after(self, seq: int, limit: int) -> Sequence[Entry]:
        """Unsent rows after this position."""
        if self._gaps is not None:
            return await self._after_in_shared(seq, limit, self._gaps)
        if not self._below <= seq <= self._head:
            return await self._fetch(_UNSENT, seq, limit)
        if seq == self._head:
            async with self._reading:
                if seq == self._head:
                    self._remember(await self._fetch(_UNSENT, seq, max(limit, 1)))
        if seq < self._below:  # forgotten while waiting for the lock
            return await self._fetch(_UNSENT, seq, limit)
        start = bisect_right(self._recent, seq, key=lambda entry: entry.seq)
        return self._recent[start : start + limit]

    async def _after_in_shared(self, seq: int, limit: int, gaps: Gaps) -> Sequence[Entry]:
        """As `after`; everybody reads new rows at the head, where the gaps are noticed."""
        while True:
            below = self._below
            if seq < below:
                if entries := await self._fetch(_UNSENT_UP_TO, seq, below, limit):
                    return entries
                seq = below
            elif seq < self._head:
                start = bisect_right(self._recent, seq, key=lambda entry: entry.seq)
                if entries := self._recent[start : start + limit]:
                    return entries
                seq = self._head
            else:
                async with self._reading:
                    if seq >= self._head and not await self._advance(max(limit, 1), gaps):
                        return ()

    async def _advance(self, limit: int, gaps: Gaps) -> int:
        rows = await self._storage.fetch(_HEAD, self._head, limit)
        if rows:
            self._come_late(await gaps.waited_for())  # after these were read, and put before them
            gaps.note(self._head, [row[0] for row in rows])
            self._remember([_entry(row[:-1]) for row in rows if row[-1] is None])
            self._head = rows[-1][0]
        return len(rows)

    async def past(self, seq: int, limit: int) -> Sequence[Entry]:
        """All retained rows after this position, sent or not; in a shared database those the head has passed."""
        if self._gaps is not None:
            return await self._fetch(_PAST_UP_TO, seq, self._head, limit)
        return await self._fetch(_PAST, seq, limit)

    async def unsent(self, seq: int, limit: int) -> Sequence[Entry]:
        """Unsent rows after this position that the head has passed: those in flight, and any that were overlooked."""
        return await self._fetch(_UNSENT_UP_TO, seq, self._head, limit)

    async def of_key(self, key: str, first: int, last: int, limit: int, *, past: bool) -> Sequence[Entry]:
        """The rows of one key between two positions, both included."""
        return await self._fetch(_PAST_OF_KEY if past else _OF_KEY, first, last, key, limit)

    async def last(self) -> int:
        """The position of the newest row, 0 when there is none."""
        rows = await self._storage.fetch("SELECT COALESCE(MAX(seq), 0) FROM ramet_outbox")
        return int(rows[0][0])

    async def sent(self) -> int:
        """The position up to which everything is sent."""
        return int((await self._storage.fetch(_SENT))[0][0])

    async def mark(self, positions: Iterable[int], at: float) -> None:
        """These rows are sent: no relay reads them again. A mark that is lost costs a redelivery."""
        await self._storage.write(Write(_MARK, [(at, first, last) for first, last in ranges(positions)]))

    async def purge(self, before: float, *, batch: int = 1000) -> int:
        """Delete what was sent and published before that moment, oldest first; returns how many."""
        deleted, seq = 0, 0
        while rows := await self._storage.fetch(_OLDEST, seq, batch):
            old = [row for row in rows if row[1] < before]
            sent = [(row[0],) for row in old if row[2] is not None]
            if sent:
                await self._storage.write(Write(_DELETE, sent))
            deleted += len(sent)
            if len(old) < len(rows):
                break
            seq = rows[-1][0]
        return deleted

    async def _fetch(self, sql: str, *parameters: Any) -> Sequence[Entry]:
        return [_entry(row) for row in await self._storage.fetch(sql, *parameters)]

    def _remember(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        self._recent.extend(entries)
        self._head = entries[-1].seq
        surplus = len(self._recent) - self._kept
        if surplus > 0:
            self._below = self._recent[surplus - 1].seq
            del self._recent[:surplus]
