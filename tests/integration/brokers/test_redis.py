"""What is particular to Redis: what it forgets, what it loses and says so, what it does when it is full."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from ramet.clock import SystemClock
from ramet.errors import ConfigurationError
from ramet.events.base import Delivery, Interest, Subscription
from ramet.events.brokers.redis import line
from ramet.events.brokers.redis.broker import RedisBroker
from ramet.events.lanes import Lanes
from ramet.tasks import Tasks
from ramet.testing.conformance.broker import PATIENCE_SECONDS, Recorder, message
from ramet.testing.engines.redis import RedisEngine

pytestmark = pytest.mark.needs("redis")
TOPICS = frozenset({"orders.Placed"})


@pytest.fixture(scope="module")
def engine() -> Iterator[RedisEngine]:
    with RedisEngine() as running:
        yield running


@asynccontextmanager
async def broker_at(url: str, *consumers: str) -> AsyncIterator[RedisBroker]:
    """A broker of an application of its own, which has these consumers."""
    tasks = Tasks()
    broker = RedisBroker(
        url,
        application=f"test-{uuid.uuid4().hex}",
        clock=SystemClock(),
        spawn=tasks.spawn,
        interests=[Interest(consumer, TOPICS) for consumer in consumers],
    )
    await broker.open()
    try:
        yield broker
    finally:
        await broker.close()
        await tasks.stop()


async def subscribe(broker: RedisBroker, consumer: str, topics: frozenset[str] = TOPICS) -> Recorder:
    recorder = Recorder()
    lanes = Lanes(recorder.deliver, spawn=broker._spawn, clock=SystemClock())
    await broker.subscribe(Subscription(consumer, topics, lanes))
    return recorder


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Ask the server until it is so."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await condition():
            pass


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"appendonly": "no"}, "keeps no append-only file, so a restart loses events"),
        ({"appendfsync": "everysec"}, "syncs its append-only file once a second"),
        ({"maxmemory-policy": "allkeys-lru"}, "may throw events away when its memory is full"),
        ({"rename-command": 'CONFIG ""'}, "does not tell how often it syncs"),
        ({}, ""),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
async def test_a_server_that_may_lose_what_it_confirms_is_said_to_at_the_start(
    settings: Mapping[str, str], told: str, caplog: pytest.LogCaptureFixture
) -> None:
    with RedisEngine(settings=settings) as engine, caplog.at_level(logging.WARNING, "ramet.events"):
        async with broker_at(engine.url):
            pass
    assert [told in record.getMessage() for record in caplog.records] == ([True] if told else [])


async def test_to_wait_for_the_disk_needs_a_server_that_can_be_asked() -> None:
    with RedisEngine(settings={"appendonly": "no"}) as engine, pytest.raises(ConfigurationError, match="sync=wait"):
        async with broker_at(f"{engine.url}?sync=wait"):
            pass


async def test_what_all_consumers_have_handled_is_forgotten_and_nothing_else(engine: RedisEngine) -> None:
    async with broker_at(f"{engine.url}?partitions=1", "mail.tell") as broker, Redis.from_url(engine.url) as client:
        billed = await subscribe(broker, "billing.note")
        stream = broker._names.events(0)
        for begin in range(0, 400, 10):
            await broker.publish([message(number, key="k") for number in range(begin, begin + 10)])
        await billed.until(400)
        await eventually(lambda: _all_done(broker, "billing.note"))
        await broker._store.forget(broker._clock.time())
        assert await client.xlen(stream) == 40  # the other consumer has not had them yet

        told = await subscribe(broker, "mail.tell")
        await told.until(400)
        await eventually(lambda: _all_done(broker, "mail.tell"))
        await broker._store.forget(broker._clock.time())
        assert await client.xlen(stream) == 0

        await broker.publish([message(400, key="k")])
        await asyncio.gather(billed.until(401), told.until(401))


async def _all_done(broker: RedisBroker, consumer: str) -> bool:
    entry, _ = await broker._store.get(consumer, 0)
    return entry.floor == await broker._store.last(0)


async def test_what_is_handled_is_kept_for_those_who_come_later_where_that_is_asked_for(engine: RedisEngine) -> None:
    async with broker_at(f"{engine.url}?partitions=1&past_days=1") as broker:
        billed = await subscribe(broker, "billing.note")
        await broker.publish([message(number) for number in range(10)])
        await billed.until(10)
        await eventually(lambda: _all_done(broker, "billing.note"))
        await broker._store.forget(broker._clock.time())
        await broker._store.declare(Interest("late.come", TOPICS, retained=True))
        late = await subscribe(broker, "late.come")
        await late.until(10)


async def test_what_is_older_than_the_retention_is_forgotten_though_somebody_waits_for_it(engine: RedisEngine) -> None:
    async with broker_at(f"{engine.url}?partitions=1&retention_days=2", "mail.tell") as broker:
        await broker.publish([message(number) for number in range(10)])
        async with Redis.from_url(engine.url) as client:
            await broker._store.forget(broker._clock.time() + 86_400)
            assert await client.xlen(broker._names.events(0)) > 0
            await broker._store.forget(broker._clock.time() + 3 * 86_400)
            assert await client.xlen(broker._names.events(0)) == 0


async def test_topics_that_nobody_wants_hold_up_nothing(engine: RedisEngine) -> None:
    async with broker_at(f"{engine.url}?partitions=1") as broker:
        billed = await subscribe(broker, "billing.note")
        await broker.publish([message(number, topic="orders.Lost") for number in range(2000)])
        await broker.publish([message(1)])
        await billed.until(1)
        await eventually(lambda: _all_done(broker, "billing.note"))


async def test_a_server_that_comes_back_with_nothing_is_used_as_a_new_one() -> None:
    with RedisEngine() as engine:
        async with broker_at(engine.url) as broker:
            recorder = await subscribe(broker, "billing.note")
            await broker.publish([message(number, key=f"k{number}") for number in range(100)])
            await recorder.until(100)
            await asyncio.to_thread(engine.kill)
            shutil.rmtree(engine.folder / "appendonlydir")
            await asyncio.to_thread(engine.start)
            await broker.publish([message(number, key=f"k{number}") for number in range(100, 200)])
            await recorder.until_complete([message(number, key=f"k{number}") for number in range(200)])


async def test_events_wait_while_the_server_is_full(caplog: pytest.LogCaptureFixture) -> None:
    with RedisEngine() as engine:
        async with broker_at(engine.url) as broker, Redis.from_url(engine.url) as client:
            recorder = await subscribe(broker, "billing.note")
            await client.config_set("maxmemory", "1mb")
            publishing = broker._spawn(broker.publish([message(number, key="k") for number in range(10)]))
            await eventually(lambda: _is_told("takes no events at the moment", caplog))
            assert not recorder.got
            await client.config_set("maxmemory", "0")
            await publishing
            await recorder.until(10)
        assert recorder.of_key("k") == [message(number).id for number in range(10)]
        assert caplog.text.count("takes no events") == 1


async def test_a_server_that_is_frozen_is_noticed_and_used_again_when_it_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(line, "SILENCE_SECONDS", 0.3)
    monkeypatch.setattr(line, "CONNECT_SECONDS", 0.3)
    with RedisEngine() as engine:
        async with broker_at(engine.url) as broker:
            recorder = await subscribe(broker, "billing.note")
            await broker.publish([message(number, key="k") for number in range(10)])
            assert engine.pid is not None
            os.kill(engine.pid, signal.SIGSTOP)
            try:
                publishing = broker._spawn(broker.publish([message(number, key="k") for number in range(10, 20)]))
                await eventually(lambda: _is_told("lost", caplog))
            finally:
                os.kill(engine.pid, signal.SIGCONT)
            await publishing
            await recorder.until_complete([message(number, key="k") for number in range(20)])
        firsts = list(dict.fromkeys(recorder.of_key("k")))
        assert firsts == [message(number).id for number in range(20)]


async def _is_told(text: str, caplog: pytest.LogCaptureFixture) -> bool:
    await asyncio.sleep(0)
    return text in caplog.text


async def test_events_are_stored_when_a_replica_has_them_where_that_is_asked_for() -> None:
    with RedisEngine(settings={"repl-diskless-sync-delay": "0"}) as engine:
        async with broker_at(f"{engine.url}?replicas=1") as broker:
            recorder, stored = await subscribe(broker, "billing.note"), asyncio.Event()
            (outlet,) = broker.outlets()
            outlet.sink.put(Delivery(message(1)), stored.set)
            await recorder.until(1)  # it is there, but might be lost
            assert not stored.is_set()
            with RedisEngine(settings={"replicaof": f"127.0.0.1 {engine.port}", "appendonly": "no"}):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await stored.wait()
        assert len(recorder.attempts) == 1
