"""How far each consumer has got, as fields of one hash in Redis; and what may be forgotten because of it."""

from __future__ import annotations

import asyncio
from typing import Any

from ramet.events.base import Interest
from ramet.events.brokers.holding import Entries, Entry
from ramet.events.brokers.redis.line import FAILURES, Pipe, Refused
from ramet.events.brokers.redis.options import RedisOptions
from ramet.events.brokers.redis.wire import (
    Names,
    done_by_all,
    entry_text,
    field_of,
    identifier_of,
    position_at,
    position_of,
    read_entry,
)

_PUT = """
local known = redis.call('HGET', KEYS[1], ARGV[1])
local revision = known and tonumber(string.match(known, '^%d+')) or 0
if revision ~= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], (revision + 1) .. ' ' .. ARGV[3])
return revision + 1
"""
DAY_SECONDS = 86400.0


class Store:
    """The keys of the application, over one pipe; `partitions` is what the first process decided."""

    def __init__(self, pipe: Pipe, names: Names, options: RedisOptions) -> None:
        self.names = names
        self.partitions = options.partitions
        self._pipe = pipe
        self._options = options

    async def agree(self) -> None:
        """Find out how many partitions there are, or decide."""
        await self._pipe.send("SETNX", self.names.layout, self._options.partitions)
        self.partitions = int(await self._pipe.send("GET", self.names.layout))

    async def declare(self, interest: Interest) -> None:
        """Write down where a consumer begins, if no process has done so before."""
        fields = [field_of(interest.consumer, number) for number in range(self.partitions)]
        known = await self._pipe.send("HMGET", self.names.positions, *fields)
        await asyncio.gather(*(self._begin(interest, number) for number, entry in enumerate(known) if entry is None))

    async def last(self, number: int) -> int:
        """The last position of a partition, also where what was there has been forgotten."""
        try:
            answer: list[Any] = await self._pipe.send("XINFO", "STREAM", self.names.events(number))
        except Refused as error:
            if "no such key" in str(error):
                return 0
            raise
        return position_of(answer[answer.index(b"last-generated-id") + 1])

    async def get(self, consumer: str, number: int) -> tuple[Entry, int]:
        """The entry of a consumer, with its revision."""
        return read_entry(await self._pipe.send("HGET", self.names.positions, field_of(consumer, number)))

    async def put(self, consumer: str, number: int, entry: Entry, revision: int) -> int | None:
        """Write it if it has this revision still."""
        field = field_of(consumer, number)
        answer = await self._pipe.send("EVAL", _PUT, 1, self.names.positions, field, revision, entry_text(entry))
        return int(answer) or None

    async def forget(self, now: float) -> None:
        """Remove what all consumers have handled, and what is too old; `now` in seconds since the epoch."""
        answer = iter(await self._pipe.send("HGETALL", self.names.positions))
        positions = list(zip(answer, answer, strict=True))
        expired = position_at(now - self._options.retention_days * DAY_SECONDS)
        past = position_at(now - self._options.past_days * DAY_SECONDS)
        for number in range(self.partitions):
            done = done_by_all(positions, number)
            first = max(expired, past if done is None else min(past, done + 1))
            await self._pipe.send("XTRIM", self.names.events(number), "MINID", "~", identifier_of(first))

    async def _begin(self, interest: Interest, number: int) -> None:
        floor = 0 if interest.retained else await self.last(number)
        field, text = field_of(interest.consumer, number), f"0 {entry_text(Entry(floor=floor))}"
        await self._pipe.send("HSETNX", self.names.positions, field, text)


class RedisEntries(Entries):
    """The entries of one consumer."""

    failures = FAILURES

    def __init__(self, store: Store, consumer: str) -> None:
        self.partitions = store.partitions
        self._store = store
        self._consumer = consumer

    async def get(self, number: int) -> tuple[Entry, int]:
        return await self._store.get(self._consumer, number)

    async def put(self, number: int, entry: Entry, *, revision: int) -> int | None:
        return await self._store.put(self._consumer, number, entry, revision)

    async def last(self, number: int) -> int:
        return await self._store.last(number)
