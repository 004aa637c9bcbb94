"""Who is alive at a shared database, and who holds what only one may have; without comparing clocks."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ramet.clock import VirtualClock
from ramet.errors import StorageError
from ramet.storage.base import Write
from ramet.storage.leases import BEAT_SECONDS, SILENCE_SECONDS, Leases
from ramet.storage.sqlite.options import TEMPORARY
from ramet.storage.sqlite.storage import SqliteStorage
from ramet.storage.tables import SCHEMA
from ramet.tasks import Tasks

EXPELLED = SILENCE_SECONDS + 2 * BEAT_SECONDS


class Process:
    """One worker, told of changes, which can be killed."""

    def __init__(self, storage: SqliteStorage, clock: VirtualClock, about: str, name: str) -> None:
        self.tasks = Tasks()
        self.changes = 0
        self.leases = Leases(storage, clock=clock, spawn=self.tasks.spawn, about=about.split(), name=name)
        self.leases.listen(self._note)

    def _note(self) -> None:
        self.changes += 1


class Processes:
    """Workers at one database."""

    def __init__(self, storage: SqliteStorage) -> None:
        self.clock = VirtualClock()
        self.storage = storage
        self.all: list[Process] = []

    async def join(self, about: str = "", name: str = "") -> Process:
        one = Process(self.storage, self.clock, about, name)
        one.leases.contend("relay")
        await one.leases.join()
        self.all.append(one)
        await self.clock.settle()
        return one

    async def rows(self) -> dict[str, str]:
        return dict(await self.storage.fetch("SELECT name, owner FROM ramet_lease"))


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Processes]:
    storage = SqliteStorage("orders", tmp_path / "orders.sqlite", TEMPORARY)
    await storage.open(SCHEMA)
    made = Processes(storage)
    yield made
    for one in made.all:
        await one.tasks.stop()
    await storage.close()


async def test_the_first_holds_what_all_contend_for_for_as_long_as_it_lives(it: Processes) -> None:
    workers = [await it.join() for _ in range(3)]
    await it.clock.advance(600)
    assert [one.leases.holds("relay") for one in workers] == [True, False, False]
    assert len(await it.rows()) == 4
    assert [one.changes for one in workers[1:]] == [0, 0]


async def test_that_somebody_has_gone_is_told_though_the_database_fails_right_after_it(
    it: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers = [await it.join() for _ in range(3)]
    await workers[0].tasks.stop()
    write = it.storage.write

    async def failing(*writes: Write) -> tuple[int, ...]:
        if "ON CONFLICT" in writes[0].sql:
            raise StorageError("it fails")
        return await write(*writes)

    with monkeypatch.context() as context:
        context.setattr(it.storage, "write", failing)
        await it.clock.advance(EXPELLED)
    await it.clock.advance(BEAT_SECONDS)
    assert all(one.changes for one in workers[1:])


async def test_what_a_dead_worker_held_is_held_by_one_other(it: Processes) -> None:
    workers = [await it.join() for _ in range(3)]
    await workers[0].tasks.stop()
    await it.clock.advance(SILENCE_SECONDS - 0.1)
    assert not any(one.leases.holds("relay") for one in workers[1:])
    await it.clock.advance(EXPELLED - SILENCE_SECONDS + 0.1)
    assert sorted(one.leases.holds("relay") for one in workers[1:]) == [False, True]
    assert all(one.changes for one in workers[1:])
    assert f"worker/{workers[0].leases.worker}" not in await it.rows()


@pytest.mark.parametrize(("name", "shown"), [("edge/1", "edge/1, process "), ("", "process ")])
async def test_a_dead_worker_is_named_as_operators_know_it(
    it: Processes, caplog: pytest.LogCaptureFixture, name: str, shown: str
) -> None:
    first, _ = await it.join(name=name), await it.join()
    await first.tasks.stop()
    await it.clock.advance(EXPELLED)
    assert f"a worker of orders is dead: {shown}{os.getpid()} ({first.leases.worker})" in caplog.messages


async def test_what_a_leaving_worker_held_is_held_by_another_at_once(it: Processes) -> None:
    first, other = await it.join(), await it.join()
    await first.leases.leave()
    await it.clock.settle()
    assert other.leases.holds("relay")
    assert not first.leases.holds("relay")
    assert other.changes == 1


async def test_who_was_taken_for_dead_begins_anew_and_holds_nothing(it: Processes) -> None:
    first, other = await it.join(), await it.join()
    before = first.leases.worker
    await it.storage.write(Write("DELETE FROM ramet_lease WHERE name = ?", [(f"worker/{before}",)]))
    other.leases.contend("something else")
    await it.clock.advance(2 * BEAT_SECONDS)
    assert first.leases.worker != before
    assert [one.leases.holds("relay") for one in (first, other)] == [False, True]
    assert first.changes
    await it.clock.advance(600)
    assert f"worker/{first.leases.worker}" in await it.rows()


async def test_time_in_which_nobody_could_look_makes_nobody_dead(it: Processes) -> None:
    """The machine slept, or the server was away, for all of them."""
    workers = [await it.join() for _ in range(3)]
    names = [one.leases.worker for one in workers]
    it.clock._elapsed += 3600.0
    await it.clock.advance(60)
    assert [one.leases.worker for one in workers] == names


async def test_a_server_that_is_away_makes_nobody_dead(it: Processes) -> None:
    workers = [await it.join() for _ in range(2)]
    names, write = [one.leases.worker for one in workers], it.storage.write

    async def fail(*_: Write) -> tuple[int, ...]:
        raise StorageError("The server is away.")

    it.storage.write = fail  # type: ignore[method-assign]  # the fault
    await it.clock.advance(60)
    it.storage.write = write  # type: ignore[method-assign]  # mended
    await it.clock.advance(60)
    assert [one.leases.worker for one in workers] == names


async def test_a_worker_that_is_about_something_is_known_to_live_by_its_beat(it: Processes) -> None:
    await it.join("v1 v2")
    asking = await it.join("v3")
    answer = asking.tasks.spawn(asking.leases.somebody_lives("v2"))
    await it.clock.settle()
    assert not answer.done()
    await it.clock.advance(2 * BEAT_SECONDS)
    assert answer.result() is True
    assert await asking.leases.somebody_lives("v4") is False
    assert await asking.leases.somebody_lives("v3") is False


async def test_a_dead_worker_is_about_nothing(it: Processes) -> None:
    dead = await it.join("v1")
    await dead.tasks.stop()
    asking = await it.join()
    answer = asking.tasks.spawn(asking.leases.somebody_lives("v1"))
    await it.clock.advance(EXPELLED)
    assert answer.result() is False
