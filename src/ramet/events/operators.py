"""What operators see and do: events that wait, are tried again or were given up; replay and discard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import msgspec

from ramet.clock import Clock
from ramet.errors import NotFound
from ramet.events.headers import decode_headers
from ramet.events.letters import CHANNEL
from ramet.storage.base import Row, Storage, Write

_LETTER = "consumer, event_id, topic, key, attempts, error, published_at, at, replay_at"
_COUNTS = (
    "SELECT (SELECT COUNT(*) FROM ramet_outbox WHERE sent_at IS NULL), (SELECT COUNT(*) FROM ramet_retry), "
    "(SELECT COUNT(*) FROM ramet_dead_letter)"
)
_CONSUMERS = "SELECT DISTINCT consumer FROM ramet_subscription"


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """An event in its publisher's outbox that not every consumer has handled yet; `at` when it was published."""

    service: str
    event_id: str
    topic: str
    key: str | None
    at: float


class Retrying(msgspec.Struct, frozen=True, kw_only=True):
    """An event whose handling fails `since` then, and is tried again at `next_at` (seconds since the epoch)."""

    consumer: str
    event_id: str
    topic: str
    key: str | None
    attempts: int
    error: str
    since: float
    next_at: float


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """An event that a consumer has given up; `replaying` when an operator wants it handled again."""

    consumer: str
    event_id: str
    topic: str
    key: str | None
    attempts: int
    error: str
    published_at: float
    at: float
    replaying: bool


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What a dead letter says: `payload` as text, with what is not text replaced."""

    letter: DeadLetter
    version: int
    payload: str
    headers: dict[str, str]


class EventCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many events of a service wait, and of its consumers are tried again or given up."""

    service: str
    waiting: int
    retrying: int
    dead: int


class EventOperations:
    """Over the services' databases, by service name; `replay_due(consumer)` tells a consumer that runs here."""

    def __init__(
        self, storages: Mapping[str, Storage], *, clock: Clock, replay_due: Callable[[str], None] | None = None
    ) -> None:
        self._storages = storages
        self._clock = clock
        self._replay_due = replay_due

    async def counts(self) -> list[EventCounts]:
        """One for each service."""
        found = []
        for service, storage in self._storages.items():
            waiting, retrying, dead = (await storage.fetch(_COUNTS))[0]
            found.append(EventCounts(service=service, waiting=waiting, retrying=retrying, dead=dead))
        return found

    async def waiting(
        self, *, service: str | None = None, topic: str | None = None, key: str | None = None, limit: int = 100
    ) -> list[Waiting]:
        """What is in the outboxes and not handled by everybody, oldest first in each service."""
        where, values = _where(topic=topic, key=key)
        sql = f"SELECT event_id, topic, key, at FROM ramet_outbox WHERE sent_at IS NULL{where} ORDER BY seq LIMIT ?"
        return [
            Waiting(service=name, event_id=row[0], topic=row[1], key=row[2], at=row[3])
            for name, storage in self._of(service)
            for row in await storage.fetch(sql, *values, limit)
        ][:limit]

    async def retrying(
        self, *, consumer: str | None = None, topic: str | None = None, key: str | None = None, limit: int = 100
    ) -> list[Retrying]:
        """What failed and is tried again, the longest failing first in each service."""
        where, values = _where(consumer=consumer, topic=topic, key=key)
        sql = (
            "SELECT consumer, event_id, topic, key, attempts, error, since, next_at FROM ramet_retry "
            f"WHERE 1 = 1{where} ORDER BY since LIMIT ?"
        )
        return [
            Retrying(**dict(zip(Retrying.__struct_fields__, row, strict=True)))
            for _, storage in self._of_consumer(consumer)
            for row in await storage.fetch(sql, *values, limit)
        ][:limit]

    async def dead(
        self, *, consumer: str | None = None, topic: str | None = None, key: str | None = None, limit: int = 100
    ) -> list[DeadLetter]:
        """What was given up, oldest first in each service."""
        where, values = _where(consumer=consumer, topic=topic, key=key)
        sql = f"SELECT {_LETTER} FROM ramet_dead_letter WHERE 1 = 1{where} ORDER BY at, event_id LIMIT ?"
        return [
            _letter(row)
            for _, storage in self._of_consumer(consumer)
            for row in await storage.fetch(sql, *values, limit)
        ][:limit]

    async def show(self, event_id: str, *, consumer: str | None = None) -> list[Content]:
        """The dead letters of one event: one for each consumer that gave it up. Raises: NotFound."""
        where, values = _where(event_id=event_id, consumer=consumer)
        sql = f"SELECT {_LETTER}, version, payload, headers FROM ramet_dead_letter WHERE 1 = 1{where}"
        found = [
            _content(row) for _, storage in self._of_consumer(consumer) for row in await storage.fetch(sql, *values)
        ]
        if not found:
            raise NotFound(f"The event {event_id} is no dead letter: `ramet events list` shows those there are.")
        return found

    async def replay(self, consumer: str, event_id: str | None = None, *, new_keys: bool = False) -> int:
        """Have one dead letter of a consumer handled again, or all of them; returns how many.

        Attempts begin anew, and it is still handled at most once. The commands its handler calls have the same
        idempotency keys as before, so that what was done is not done twice, and what was refused is refused again;
        with `new_keys` they are called anew. Raises: NotFound.
        """
        where, values = _where(event_id=event_id)
        sql = (
            "UPDATE ramet_dead_letter SET replay_at = ?, renewals = renewals + ? "
            f"WHERE consumer = ? AND replay_at IS NULL{where}"
        )
        write = Write(sql, [(self._clock.time(), int(new_keys), consumer, *values)])
        changed = await self._change(consumer, event_id, write)
        for _, storage in self._of_consumer(consumer) if changed else ():
            storage.notify(CHANNEL)
        if changed and self._replay_due is not None:
            self._replay_due(consumer)
        return changed

    async def discard(self, consumer: str, event_id: str | None = None) -> int:
        """Delete one dead letter of a consumer, or all of them; returns how many. Raises: NotFound."""
        where, values = _where(event_id=event_id)
        write = Write(f"DELETE FROM ramet_dead_letter WHERE consumer = ?{where}", [(consumer, *values)])
        return await self._change(consumer, event_id, write)

    async def _change(self, consumer: str, event_id: str | None, write: Write) -> int:
        changed = sum([(await storage.write(write))[0] for _, storage in self._of_consumer(consumer)])
        if not changed and event_id is not None:
            await self.show(event_id, consumer=consumer)
        elif not changed:
            await self.check(consumer)
        return changed

    async def check(self, consumer: str) -> None:
        """Raises: NotFound where there never was a consumer of this name."""
        known = {name for _, storage in self._of_consumer(consumer) for (name,) in await storage.fetch(_CONSUMERS)}
        if consumer not in known:
            near = get_close_matches(consumer, known, 1)
            hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(sorted(known)) or 'none'}."
            raise NotFound(f'There is no consumer "{consumer}"; {hint}')

    def _of(self, service: str | None) -> Iterator[tuple[str, Storage]]:
        if service is not None and service not in self._storages:
            raise NotFound(f"There is no service {service} with a database; there are {', '.join(self._storages)}.")
        return ((name, storage) for name, storage in self._storages.items() if service in {None, name})

    def _of_consumer(self, consumer: str | None) -> Iterator[tuple[str, Storage]]:
        return self._of(None if consumer is None else consumer.partition(".")[0])


def _where(**columns: str | None) -> tuple[str, list[Any]]:
    """The conditions that are given, as SQL to be appended, with their values."""
    given = {name: value for name, value in columns.items() if value is not None}
    return "".join(f" AND {name} = ?" for name in given), list(given.values())


def _letter(row: Row) -> DeadLetter:
    *facts, replay_at = row
    names = DeadLetter.__struct_fields__[:-1]
    return DeadLetter(**dict(zip(names, facts, strict=True)), replaying=replay_at is not None)


def _content(row: Row) -> Content:
    *letter, version, payload, headers = row
    return Content(
        letter=_letter(tuple(letter)),
        version=version,
        payload=bytes(payload).decode(errors="replace"),
        headers=decode_headers(headers),
    )
