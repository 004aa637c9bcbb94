"""Subscriptions that are remembered: a consumer that wants the retained past gets it once, also across restarts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from ramet.clock import Clock
from ramet.events.base import Past
from ramet.storage.base import Storage, Write

_BEGIN = (
    "INSERT INTO ramet_subscription (consumer, topic, since, position) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (consumer, topic) DO NOTHING"
)
_KNOWN = "SELECT topic FROM ramet_subscription WHERE consumer = ?"
_OPEN = "SELECT topic, position FROM ramet_subscription WHERE consumer = ? AND position IS NOT NULL"
_AT_THE_HEAD = "SELECT consumer, topic FROM ramet_subscription WHERE position IS NULL"
_REACHED = "UPDATE ramet_subscription SET position = ? WHERE consumer = ? AND topic = ?"


async def remember(
    storage: Storage, consumer: str, topics: Collection[str], *, clock: Clock, retained: bool
) -> Past | None:
    """Note that a consumer subscribes to these topics; what it gets of the past, None when it begins with now.

    Only the first time counts: a consumer that exists goes on where it is, whatever `retained` says later. "Now" is
    what its publisher has not sent yet when it subscribes, and everything after.
    """
    known = {topic for (topic,) in await storage.fetch(_KNOWN, consumer)}
    if new := sorted(set(topics) - known):
        position = 0 if retained else None
        await storage.write(Write(_BEGIN, [(consumer, topic, clock.time(), position) for topic in new]))
    rows = await storage.fetch(_OPEN, consumer)
    return RetainedPast(storage, consumer) if rows else None


async def put_aside(storage: Storage, present: Collection[str], sent: Callable[[str], Awaitable[int | None]]) -> None:
    """Note where the consumers are that this release does not have: when they come back, they go on there.

    `sent` gives the position in the outbox of a topic's publisher up to which everything is handled by everybody.
    """
    for consumer, topic in await storage.fetch(_AT_THE_HEAD):
        if consumer not in present and (position := await sent(topic)) is not None:
            await storage.write(Write(_REACHED, [(position, consumer, topic)]))


class RetainedPast(Past):
    """The positions in ramet_subscription, in the subscriber's own database."""

    def __init__(self, storage: Storage, consumer: str) -> None:
        self._storage = storage
        self._consumer = consumer

    async def positions(self, topics: Collection[str]) -> dict[str, int]:
        rows = await self._storage.fetch(_OPEN, self._consumer)
        return {topic: position for topic, position in rows if topic in topics}

    async def reached(self, topics: Collection[str], position: int | None) -> None:
        rows = [(position, self._consumer, topic) for topic in sorted(topics)]
        await self._storage.write(Write(_REACHED, rows))
