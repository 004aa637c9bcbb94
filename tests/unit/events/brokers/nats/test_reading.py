"""Who reads a partition, when answers to what was written about it are lost or late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

pytest.importorskip("nats", reason="pip install ramet[nats]")

from ramet.clock import VirtualClock
from ramet.events.base import Delivery, Done, Sink, Subscription
from ramet.events.brokers.members import Beat, Members, encode_beat
from ramet.events.brokers.nats.reading import Reading, Stream
from ramet.events.brokers.nats.wire import Entry, Names
from ramet.tasks import Tasks

CONSUMER, TOPIC = "billing.note", "orders.Placed"
PATIENCE_SECONDS = 5.0


class Nothing(Sink):
    """No event comes in these tests."""

    def put(self, delivery: Delivery, done: Done) -> None: ...

    async def room(self) -> int:
        return 100


class Connection:
    """What `Reading` asks of a connection while there are no events; the answers in `lost` and `late` are."""

    several_filters = True

    def __init__(self) -> None:
        self.entries: dict[str, tuple[Any, int]] = {}
        self.lost: set[str] = set()
        self.late: dict[str, asyncio.Event] = {}

    async def get(self, key: str, kind: type[msgspec.Struct]) -> tuple[Any, int] | None:
        return self.entries.get(key)

    async def put(self, key: str, value: msgspec.Struct, *, revision: int) -> int | None:
        if self.entries.get(key, (None, 0))[1] != revision:
            return None
        self.entries[key] = value, revision + 1
        if key in self.lost:
            self.lost.remove(key)
            raise TimeoutError
        if key in self.late:
            await self.late[key].wait()
        return revision + 1

    async def bounds(self) -> tuple[int, int]:
        return 1, 0

    def owner(self, number: int) -> str:
        entry: Entry = self.entries.get(_key(number), (Entry(), 0))[0]
        return entry.owner


def _key(number: int) -> str:
    return f"position.{CONSUMER}.{number}"


@asynccontextmanager
async def reading(connection: Connection, members: Members) -> AsyncIterator[Reading]:
    clock, tasks = VirtualClock(), Tasks()
    stream = Stream(
        connection=connection,  # type: ignore[arg-type]  # as much of a connection as is asked for
        names=Names("test"),
        members=members,
        clock=clock,
        partitions=2,
        announce=lambda: None,
    )
    one = Reading(Subscription(CONSUMER, frozenset({TOPIC}), Nothing()), stream, number=0)
    tasks.spawn(one.coordinate())
    try:
        yield one
    finally:
        await tasks.stop()


async def until(one: Reading, condition: Callable[[], bool]) -> None:
    """Let it look again and again."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            one.wake()
            await asyncio.sleep(0)


def hears_of(members: Members, other: str) -> None:
    members.hear(encode_beat(Beat(other, (CONSUMER,))), now=0.0)


async def test_a_partition_that_is_held_by_a_lost_answer_only_is_given_back_when_it_is_anothers() -> None:
    connection, members = Connection(), Members("me", now=0.0)
    connection.lost.add(_key(0))
    async with reading(connection, members) as one:
        await until(one, lambda: connection.owner(0) == "me")
        hears_of(members, "a")  # which should read 0 from now on
        await until(one, lambda: connection.owner(0) == "")
        assert connection.owner(1) == "me"


async def test_a_partition_that_is_just_being_taken_is_not_given_back_because_another_could_not_be() -> None:
    connection, members = Connection(), Members("me", now=0.0)
    answer = connection.late[_key(1)] = asyncio.Event()
    connection.lost.add(_key(0))
    async with reading(connection, members) as one:
        await until(one, lambda: connection.owner(0) == connection.owner(1) == "me")
        hears_of(members, "zoe")  # which should read 1 from now on
        for _ in range(100):
            one.wake()
            await asyncio.sleep(0)
        assert connection.owner(1) == "me"
        answer.set()
        await until(one, lambda: connection.owner(1) == "")
        assert connection.owner(0) == "me"
