"""FastStream on JetStream: published with its confirmation, acknowledged after handling, eight handlers at a time.

`keeps` says what is done beside that, on PostgreSQL by asyncpg, as somebody would write it by hand: "nothing"; a "row"
that the handler inserts; or an "outbox" besides, which a relay sends a hundred at a time, and an inbox in the handler's
transaction.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from statistics import quantiles
from time import perf_counter

import asyncpg
import uvloop
from faststream.nats import JStream, NatsBroker, PullSub

from benchmarks.contenders import contend
from benchmarks.contenders.databases import new_database
from benchmarks.contenders.events import TOGETHER
from benchmarks.contenders.in_flight import keep_in_flight, names
from ramet.testing.engines.nats import NatsEngine

IN_FLIGHT, CONNECTIONS, PUBLISHERS = 100, 8, 4
TABLES = """
CREATE TABLE entries (order_id TEXT PRIMARY KEY, amount INTEGER NOT NULL);
CREATE TABLE inbox (message_id TEXT PRIMARY KEY);
CREATE TABLE outbox (seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name TEXT NOT NULL);
"""
SUBJECT, STREAM = "written", "bench"
ENTER = "INSERT INTO entries (order_id, amount) VALUES ($1, 1)"
TELL = "INSERT INTO outbox (name) VALUES ($1)"
KNOW = "INSERT INTO inbox (message_id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING 1"
TAKE = "DELETE FROM outbox WHERE seq IN (SELECT seq FROM outbox ORDER BY seq LIMIT 100 FOR UPDATE SKIP LOCKED)"

Handle = Callable[[str], Awaitable[object]]


class Published:
    """When what was published was durable, and what became of it."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}
        self.delays: list[float] = []
        self._left = 0
        self._all = asyncio.Event()

    def expect(self, count: int) -> asyncio.Event:
        self._left, self._all = count, asyncio.Event()
        return self._all

    def handled(self, name: str) -> None:
        if name in self.at:
            self.delays.append(perf_counter() - self.at[name])
        self._left -= 1
        if not self._left:
            self._all.set()


class Outbox:
    """A table, and a task that sends what is in it."""

    def __init__(self, pool: asyncpg.Pool, broker: NatsBroker) -> None:
        self._pool = pool
        self._broker = broker
        self._woken = asyncio.Event()

    async def add(self, some: list[str], published: Published) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.executemany(TELL, [(name,) for name in some])
        published.at.update(dict.fromkeys(some, perf_counter()))
        self._woken.set()

    async def relay(self) -> None:
        """Send, in order, and delete, so that what was not confirmed is sent again."""
        while True:
            self._woken.clear()
            while await self._send():
                pass
            await self._woken.wait()

    async def _send(self) -> int:
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(f"{TAKE} RETURNING seq, name")
            sends = [self._broker.publish(row["name"], SUBJECT, stream=STREAM, timeout=30) for row in sorted(rows)]
            await asyncio.gather(*sends)
            return len(rows)


def handler(keeps: str, pool: asyncpg.Pool | None) -> Handle:
    """What is done with each message."""

    async def nothing(_: str) -> None:
        return None

    async def row(name: str) -> None:
        assert pool is not None
        async with pool.acquire() as connection:
            await connection.execute(ENTER, name)

    async def once(name: str) -> None:
        assert pool is not None
        async with pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(KNOW, name) is not None:
                await connection.execute(ENTER, name)

    return {"nothing": nothing, "row": row, "outbox": once}[keeps]


class Publisher:
    """Publishes events: to the stream, or by the outbox, a hundred in one transaction where there are many."""

    def __init__(self, broker: NatsBroker, published: Published, outbox: Outbox | None) -> None:
        self._broker = broker
        self._published = published
        self._outbox = outbox

    async def many(self, count: int) -> None:
        if self._outbox is None:
            await keep_in_flight(names("many", count), IN_FLIGHT, self.one)
        else:
            await keep_in_flight(names("many", count // TOGETHER), PUBLISHERS, self._together)

    async def _together(self, prefix: str) -> None:
        assert self._outbox is not None
        await self._outbox.add(list(names(prefix, TOGETHER)), self._published)

    async def one(self, name: str) -> None:
        if self._outbox is not None:
            await self._outbox.add([name], self._published)
            return
        self._published.at[name] = perf_counter()
        await self._broker.publish(name, SUBJECT, stream=STREAM, timeout=30)


async def figures(publisher: Publisher, published: Published, asked: Mapping[str, int]) -> dict[str, float]:
    """Handled a second; the delays from when an event was durable, at a given rate."""
    handled, started = published.expect(asked["count"]), perf_counter()
    await publisher.many(asked["count"])
    await handled.wait()
    found = {"handled": asked["count"] / (perf_counter() - started)}
    published.delays.clear()
    handled = published.expect(asked["paced"])
    async with asyncio.TaskGroup() as group:
        for name in names("paced", asked["paced"]):
            group.create_task(publisher.one(name))
            await asyncio.sleep(1 / asked["per_second"])
    await handled.wait()
    cuts = quantiles(published.delays, n=100)
    return {**found, "p50": cuts[49] * 1000, "p99": cuts[98] * 1000}


async def compete(url: str, keeps: str, database: str, asked: Mapping[str, int]) -> dict[str, float]:
    """Everything put together."""
    pool = await asyncpg.create_pool(database, min_size=CONNECTIONS, max_size=2 * CONNECTIONS) if database else None
    if pool is not None:
        await pool.execute(TABLES)
    broker, published = NatsBroker(url, logger=None, log_level=logging.CRITICAL), Published()
    handle = handler(keeps, pool)

    @broker.subscriber(
        SUBJECT, stream=JStream(STREAM), durable="ledger", pull_sub=PullSub(batch_size=100), max_workers=CONNECTIONS
    )
    async def consume(name: str) -> None:
        await handle(name)
        published.handled(name)

    await broker.start()
    outbox = Outbox(pool, broker) if keeps == "outbox" and pool is not None else None
    async with asyncio.TaskGroup() as group:
        relay = group.create_task(outbox.relay()) if outbox is not None else None
        found = await figures(Publisher(broker, published, outbox), published, asked)
        if relay is not None:
            relay.cancel()
    await broker.stop()
    if pool is not None:
        await pool.close()
    return found


def measure(folder: str, keeps: str, server: str, **asked: int) -> dict[str, float]:
    """`count` events as fast as they go, and `paced` at a rate."""
    database = new_database(server) if keeps != "nothing" else ""
    with NatsEngine(Path(folder) / "nats") as engine:
        return uvloop.run(compete(engine.url.partition("?")[0], keeps, database, asked))


if __name__ == "__main__":
    contend(measure)
