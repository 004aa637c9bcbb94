"""An event that is there, durably, reaches its saga, whatever looking for that saga comes to."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ramet.errors import StorageUnavailable
from ramet.sagas.journal import Journal
from ramet.sagas.runner import CONCURRENCY
from tests.unit.sagas.test_custody import Approval, Approved
from tests.unit.sagas.world import World


async def test_a_saga_that_could_not_be_found_is_looked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, find, failures = World(tmp_path / "orders.db", Approval), Journal.find, [StorageUnavailable("It is away.")]

    async def fails_once(journal: Journal, name: str, key: str) -> str | None:
        if failures:
            raise failures.pop()
        return await find(journal, name, key)

    monkeypatch.setattr(Journal, "find", fails_once)
    await world.open()
    saga = await world.start(Approval, "2", Approval.State(order="2"))
    await world.run(1)
    await world.publish(Approval, Approved(order="2"))
    await world.run(2)
    assert not failures
    assert await world.status(saga) == "completed"
    await world.close()


async def test_sagas_that_cannot_be_looked_for_keep_nobody_else_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, away = World(tmp_path / "orders.db", Approval), True
    find, signalled = Journal.find, Journal.signalled

    async def is_away(journal: Journal, name: str, key: str) -> str | None:
        if away:
            raise StorageUnavailable("It is away.")
        return await find(journal, name, key)

    async def is_away_for_all(journal: Journal, since: float = 0.0) -> set[str]:
        if away:
            raise StorageUnavailable("It is away.")
        return await signalled(journal, since)

    await world.open()
    monkeypatch.setattr(Journal, "find", is_away)
    monkeypatch.setattr(Journal, "signalled", is_away_for_all)
    orders = [str(number) for number in range(2 * CONCURRENCY)]
    sagas = [await world.start(Approval, order, Approval.State(order=order)) for order in orders]
    await world.run(1)
    for order in orders:
        await world.publish(Approval, Approved(order=order))
    other = await world.start(Approval, "other", Approval.State(order="other"))
    await world.run(0.1)
    assert await world.status(other) == "waiting"
    await world.run(10)
    away = False
    await world.run(2)
    assert {await world.status(saga) for saga in sagas} == {"completed"}
    await world.close()


async def test_a_saga_whose_task_is_cancelled_while_its_event_is_looked_for_is_not_held_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As by a step of another saga that has kept the task in which it ran."""
    world, signal, looks = World(tmp_path / "orders.db", Approval), Journal.signal, 0

    async def is_cancelled_once(journal: Journal, *waiter: str) -> tuple[str, str] | None:
        nonlocal looks
        looks += 1
        if looks == 2:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await asyncio.sleep(0)
        return await signal(journal, *waiter)

    monkeypatch.setattr(Journal, "signal", is_cancelled_once)
    await world.open()
    saga = await world.start(Approval, "2", Approval.State(order="2"))
    await world.run(1)
    await world.publish(Approval, Approved(order="2"))
    await world.run(60)
    assert looks > 2
    assert await world.status(saga) == "completed"
    assert "cannot go on" in caplog.text
    await world.close()
