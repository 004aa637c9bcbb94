"""Where a consumer began and how far it has got, as entries of the application's bucket in JetStream."""

from __future__ import annotations

from ramet.events.base import Interest
from ramet.events.brokers.holding import Entries, Entry
from ramet.events.brokers.nats.connection import FAILURES, Connection
from ramet.events.brokers.nats.wire import Start


async def declare(connection: Connection, interest: Interest) -> None:
    """Write down where a consumer begins, if no process has done so before."""
    key = _start_key(interest.consumer)
    if await connection.get(key, Start) is None:
        after = 0 if interest.retained else (await connection.bounds())[1]
        await connection.decide(key, Start(after=after, era=connection.era))


class NatsEntries(Entries):
    """Positions are those of the stream, which all partitions share."""

    failures = FAILURES

    def __init__(self, connection: Connection, consumer: str, partitions: int) -> None:
        self.partitions = partitions
        self._connection = connection
        self._consumer = consumer

    async def get(self, number: int) -> tuple[Entry, int]:
        known = await self._connection.get(self._key(number), Entry)
        if known is None:
            start = await self._connection.get(_start_key(self._consumer), Start)
            return Entry(floor=start[0].after if start and start[0].era == self._connection.era else 0), 0
        return known

    async def put(self, number: int, entry: Entry, *, revision: int) -> int | None:
        return await self._connection.put(self._key(number), entry, revision=revision)

    async def last(self, number: int) -> int:  # noqa: ARG002 - the stream has one for all
        return (await self._connection.bounds())[1]

    def _key(self, number: int) -> str:
        return f"position.{self._consumer}.{self._connection.era}{number}"


def _start_key(consumer: str) -> str:
    return f"start.{consumer}"
