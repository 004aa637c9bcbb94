"""Dead letters and retries as rows of the subscriber's database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ramet.events.base import Message
from ramet.events.headers import decode_headers, encode_headers
from ramet.events.policy import Failures
from ramet.storage.base import Row, Storage, Write

_INBOX = "INSERT INTO ramet_inbox (consumer, key, answer, at) VALUES (?, ?, ?, ?)"
_KNOWN = "SELECT 1 FROM ramet_inbox WHERE consumer = ? AND key = ?"
_ANY_OF = 50
_KNOWN_OF = f"SELECT key FROM ramet_inbox WHERE consumer = ? AND key IN ({', '.join('?' * _ANY_OF)})"
_BURY = (
    "INSERT INTO ramet_dead_letter "
    "(consumer, event_id, topic, key, version, attempts, error, payload, headers, published_at, at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_BURY_AGAIN = (
    "UPDATE ramet_dead_letter SET attempts = attempts + ?, error = ?, at = ?, replay_at = NULL "
    "WHERE consumer = ? AND event_id = ?"
)
_UNBURY = "DELETE FROM ramet_dead_letter WHERE consumer = ? AND event_id = ?"
_RETRY = (
    "INSERT INTO ramet_retry (consumer, event_id, topic, key, attempts, counted, error, since, next_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (consumer, event_id) DO UPDATE SET "
    "attempts = excluded.attempts, counted = excluded.counted, error = excluded.error, next_at = excluded.next_at"
)
_FORGET = "DELETE FROM ramet_retry WHERE consumer = ? AND event_id = ?"
_RETRY_OF = "SELECT counted, attempts, since FROM ramet_retry WHERE consumer = ? AND event_id = ?"
_RETRIES = "SELECT event_id, counted, attempts, since FROM ramet_retry WHERE consumer = ?"
_REPLAYS = (
    "SELECT event_id, topic, key, version, payload, headers, published_at, renewals FROM ramet_dead_letter "
    "WHERE consumer = ? AND replay_at IS NOT NULL ORDER BY at, event_id LIMIT ?"
)


CHANNEL = "ramet_replay"
"""Notified when an operator has asked for a replay."""


class Replay(NamedTuple):
    """A dead letter that an operator wants handled again; `renewals`: how often with new command keys."""

    message: Message
    renewals: int


class Letters:
    """One consumer's rows: what it has handled, what it is trying again, what it has given up.

    A row in ramet_inbox says "handled or dead"; it is written with the handler's own rows, or with the dead letter.
    """

    def __init__(self, storage: Storage, consumer: str) -> None:
        self._storage = storage
        self._consumer = consumer
        self._inbox = f"event:{consumer}"

    def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` when a replay may have been asked for."""
        self._storage.listen(CHANNEL, wake)

    async def is_known(self, event_id: str) -> bool:
        """Whether the event was handled or dead-lettered already."""
        return bool(await self._storage.fetch(_KNOWN, self._inbox, event_id))

    async def known(self, event_ids: Sequence[str]) -> set[str]:
        """Those of the events that were handled or dead-lettered already."""
        found: set[str] = set()
        for start in range(0, len(event_ids), _ANY_OF):
            some = event_ids[start : start + _ANY_OF]
            filling = [some[-1]] * (_ANY_OF - len(some))
            rows = await self._storage.fetch(_KNOWN_OF, self._inbox, *some, *filling)
            found.update(key for (key,) in rows)
        return found

    def handled(self, *event_ids: str, at: float) -> Write:
        """The marks that make the handling unique."""
        return Write(_INBOX, [(self._inbox, event_id, None, at) for event_id in event_ids])

    def unburied(self, event_id: str) -> Write:
        """The dead letter is gone."""
        return Write(_UNBURY, [(self._consumer, event_id)])

    def forgotten(self, event_id: str) -> Write:
        """Nothing is to be tried again."""
        return Write(_FORGET, [(self._consumer, event_id)])

    async def bury(self, message: Message, *, attempts: int, error: str, at: float) -> None:
        """Give up: the dead letter and the mark, together. Raises: DuplicateRow when it is handled or dead already."""
        letter = (
            self._consumer,
            message.id,
            message.topic,
            message.key,
            message.version,
            attempts,
            error,
            message.payload,
            encode_headers(message.headers).decode(),
            message.at,
            at,
        )
        await self._storage.write(self.handled(message.id, at=at), Write(_BURY, [letter]), self.forgotten(message.id))

    async def bury_again(self, event_id: str, *, attempts: int, error: str, at: float) -> None:
        """A replay failed."""
        await self._storage.write(
            Write(_BURY_AGAIN, [(attempts, error, at, self._consumer, event_id)]), self.forgotten(event_id)
        )

    async def note_retry(self, message: Message, failures: Failures, *, error: str, next_at: float) -> None:
        """Remember a failure, so that a restart does not begin counting anew, and for operators to see."""
        row = (
            self._consumer,
            message.id,
            message.topic,
            message.key,
            failures.total,
            failures.counted,
            error,
            failures.since,
            next_at,
        )
        await self._storage.write(Write(_RETRY, [row]))

    async def forget(self, event_id: str) -> None:
        """Nothing is to be tried again, for it was done elsewhere."""
        await self._storage.write(self.forgotten(event_id))

    async def retries(self) -> dict[str, Failures]:
        """The failures remembered, by event."""
        rows = await self._storage.fetch(_RETRIES, self._consumer)
        return {
            event_id: Failures(counted=counted, total=total, since=since) for event_id, counted, total, since in rows
        }

    async def failures(self, event_id: str) -> Failures | None:
        """What is remembered of one event's failures, also in other processes; None when there were none."""
        rows = await self._storage.fetch(_RETRY_OF, self._consumer, event_id)
        return Failures(counted=rows[0][0], total=rows[0][1], since=rows[0][2]) if rows else None

    async def replays(self, limit: int) -> list[Replay]:
        """The dead letters that are to be handled again, in the order in which they were given up."""
        return [_replay(row) for row in await self._storage.fetch(_REPLAYS, self._consumer, limit)]


def _replay(row: Row) -> Replay:
    event_id, topic, key, version, payload, headers, at, renewals = row
    message = Message(
        id=event_id, topic=topic, key=key, version=version, payload=payload, headers=decode_headers(headers), at=at
    )
    return Replay(message, renewals)
