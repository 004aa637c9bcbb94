"""Tests on real servers: each has a place of its own, and leaves nothing there."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import aiormq
import asyncpg
import nats as nats_library
import pytest
from redis.asyncio import Redis

from ramet.errors import ConfigurationError, StorageError, UsageError
from ramet.testing import RunningApplication, Servers, VirtualClock, running
from tests.fresh import fresh

IN_ONE_PROCESS = ("together", "strict", "apart")


async def names(url: str) -> set[str]:
    """The databases and roles of a server."""
    raw = await asyncpg.connect(f"{url}/postgres")
    try:
        rows = await raw.fetch("SELECT datname FROM pg_database UNION SELECT rolname FROM pg_roles")
        return {row[0] for row in rows}
    finally:
        await raw.close()


async def streams(url: str) -> list[str]:
    client = await nats_library.connect(url.partition("?")[0])
    try:
        return [info.config.name or "" for info in await client.jetstream().streams_info()]
    finally:
        await client.close()


async def count_to_three(app: RunningApplication) -> None:
    tally: Any = importlib.import_module("tally")
    assert await app.client(tally.Tally).count(3) == 6
    await app.eventually(app.client(tally.Listener).heard)
    assert await app.published(tally.Counted) == [tally.Counted(by=3)]


@pytest.mark.needs("postgresql")
@pytest.mark.parametrize("placement", IN_ONE_PROCESS)
async def test_a_test_on_postgresql_gets_a_database_that_is_dropped(
    placement: Any, folder: Path, postgresql: str
) -> None:
    before = await names(postgresql)
    async with running(folder, placement=placement, servers=Servers(storage=postgresql)) as app:
        (database,) = await names(postgresql) - before
        assert database.startswith("tally_sheet_")
        await count_to_three(app)
    assert await names(postgresql) == before


@pytest.mark.needs("nats")
@pytest.mark.parametrize("placement", IN_ONE_PROCESS)
async def test_a_test_on_nats_gets_streams_that_are_deleted(placement: Any, folder: Path, nats: str) -> None:
    async with running(folder, placement=placement, servers=Servers(broker=nats)) as app:
        assert all("tally_sheet_" in name for name in await streams(nats))
        await count_to_three(app)
    assert await streams(nats) == []


@pytest.mark.needs("rabbitmq")
@pytest.mark.parametrize("placement", IN_ONE_PROCESS)
async def test_a_test_on_rabbitmq_gets_queues_that_are_deleted(
    placement: Any, folder: Path, rabbitmq: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ramet.testing.servers.secrets.token_hex", lambda _: "known")
    queue = "ramet.tally_sheet_known.listener.hear.0"
    connection = await aiormq.connect(rabbitmq.partition("?")[0])
    try:
        async with running(folder, placement=placement, servers=Servers(broker=rabbitmq)) as app:
            await (await connection.channel()).queue_declare(queue, passive=True)
            await count_to_three(app)
        with pytest.raises(aiormq.exceptions.ChannelNotFoundEntity):
            await (await connection.channel()).queue_declare(queue, passive=True)
    finally:
        await connection.close()


@pytest.mark.needs("redis")
@pytest.mark.parametrize("placement", IN_ONE_PROCESS)
async def test_a_test_on_redis_gets_keys_that_are_deleted(placement: Any, folder: Path, redis: str) -> None:
    client = Redis.from_url(redis)
    try:
        async with running(folder, placement=placement, servers=Servers(broker=redis)) as app:
            assert all(b"ramet:tally_sheet_" in key for key in await client.keys())
            await count_to_three(app)
        assert await client.keys() == []
    finally:
        await client.aclose()


@pytest.mark.needs("postgresql", "nats")
async def test_two_tests_on_the_same_servers_do_not_meet(folder: Path, postgresql: str, nats: str) -> None:
    servers = Servers(storage=postgresql, broker=nats)
    async with running(folder, servers=servers) as one, running(folder, servers=servers) as other:
        await count_to_three(one)
        tally: Any = importlib.import_module("tally")
        assert await other.client(tally.Tally).total() == 0
        assert await other.client(tally.Listener).heard() == 0


@pytest.mark.needs("postgresql", "nats")
async def test_what_a_failed_test_had_is_removed_as_well(folder: Path, postgresql: str, nats: str) -> None:
    before = await names(postgresql)

    async def failing() -> None:
        async with running(folder, placement="apart", servers=Servers(storage=postgresql, broker=nats)):
            raise RuntimeError("the test is wrong")

    with pytest.raises(RuntimeError, match="the test is wrong"):
        await failing()
    assert (await names(postgresql), await streams(nats)) == (before, [])


@pytest.mark.parametrize("servers", [Servers(storage="postgresql://h"), Servers(broker="nats://h")], ids=str)
async def test_virtual_time_and_a_real_server_are_refused_in_one_sentence(servers: Servers, folder: Path) -> None:
    with pytest.raises(UsageError, match="virtual clock cannot move the time of real servers") as refused:
        async with running(folder, clock=VirtualClock(), servers=servers):
            pass
    assert str(refused.value).count(". ") == 0


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"storage": "mysql://localhost"}, "The storage of a test is"),
        ({"broker": "kafka://localhost"}, "The broker of a test is"),
    ],
)
def test_engines_that_there_are_not_are_refused(given: dict[str, str], sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        Servers(**given)


async def test_a_postgresql_that_is_away_is_named_without_its_password(folder: Path) -> None:
    away = Servers(storage="postgresql://somebody:hidden@127.0.0.1:1")
    with pytest.raises(StorageError, match=r"127\.0\.0\.1:1") as refused:
        async with running(folder, servers=away):
            pass
    assert "hidden" not in str(refused.value)


BROKER = """
from ramet.events.brokers.memory import MemoryBroker

made = []


class Mine(MemoryBroker):
    def __init__(self, url, *, application, clock, spawn, interests):
        super().__init__()
        made.append((url, application, {interest.consumer for interest in interests}))
"""


@pytest.mark.parametrize("placement", IN_ONE_PROCESS)
async def test_a_test_is_given_a_broker_of_ones_own(placement: Any, folder: Path) -> None:
    (folder / "mine.py").write_text(BROKER)
    with fresh("mine"):
        servers = Servers(broker="mine://there", broker_class="mine:Mine")
        async with running(folder, placement=placement, servers=servers) as app:
            await count_to_three(app)
        for url, application, consumers in importlib.import_module("mine").made:
            assert (url, application.startswith("tally_sheet_")) == ("mine://there", True)
            assert "listener.hear" in consumers


@pytest.mark.parametrize(
    ("broker_class", "told"),
    [("tally:Tally", "is no broker"), ("tally:Nobody", "cannot be imported"), ("nowhere:Mine", "cannot be imported")],
)
async def test_a_class_that_is_no_broker_is_a_mistake(folder: Path, broker_class: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        async with running(folder, servers=Servers(broker="mine://there", broker_class=broker_class)):
            raise AssertionError
