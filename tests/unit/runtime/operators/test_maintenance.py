"""Operators at work on databases that nothing runs on: what they change takes effect at the next start."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ramet.contract.application import Application
from ramet.contract.reading.application import read
from ramet.errors import NotFound, StorageError
from ramet.model.topology import Deployment
from ramet.runtime.configuration import Configuration
from ramet.runtime.operators.maintenance import Maintenance
from ramet.runtime.operators.requests import (
    Call,
    Called,
    CancelSaga,
    Changed,
    DiscardEvents,
    EventList,
    GetStatus,
    ListEvents,
    ListSagas,
    ReplayEvents,
    RetrySaga,
    SagaDetail,
    SagaList,
    ShowSaga,
    Status,
)
from ramet.runtime.running import Options, Running
from ramet.runtime.wiring import embedded
from ramet.sagas.progress import Status as SagaStatus
from tests.unit.runtime.operators.house import Doors, DoorsService


class House:
    """The application in a folder of its own, started and stopped again and again."""

    def __init__(self, folder: Path) -> None:
        self.configuration = Configuration(folder=folder, application=Application("house", services=[DoorsService]))
        self.deployment = Deployment(durability="off")
        self.maintenance = Maintenance(self.configuration, self.deployment, self.make)

    def make(self) -> Running:
        engines = embedded(self.deployment, self.configuration.folder)
        return Running(read(self.configuration.application), engines, Options())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Running]:
        running = self.make()
        await running.start()
        try:
            yield running
        finally:
            await running.stop()


async def until(running: Running, holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it holds."""
    while not await holds():
        await running.clock.sleep(0.002)


async def fetched(running: Running, sql: str) -> object:
    """The first column of the first row."""
    rows = await running.services["doors"].storage.fetch(sql)
    return rows[0][0] if rows else None


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """The house; its service is as the class says."""
    monkeypatch.setattr(DoorsService, "broken", True)
    monkeypatch.setattr(DoorsService, "stuck", False)
    return House(tmp_path)


async def knocked_in_vain(house: House) -> None:
    """Leave a dead letter."""
    async with house.running() as running:
        await running.client(Doors).knock("front")

        async def is_dead() -> bool:
            return await fetched(running, "SELECT COUNT(*) FROM ramet_dead_letter") == 1

        await until(running, is_dead)


async def stuck_at_the_door(house: House, monkeypatch: pytest.MonkeyPatch) -> str:
    """Leave a saga that waits for its next attempt, in an hour."""
    monkeypatch.setattr(DoorsService, "stuck", True)
    async with house.running() as running:
        identity = await running.client(Doors).enter("front")

        async def has_failed() -> bool:
            return await fetched(running, "SELECT trouble FROM ramet_saga") is not None

        await until(running, has_failed)
    monkeypatch.setattr(DoorsService, "stuck", False)
    return identity


async def ended(running: Running) -> bool:
    """Whether every saga has."""
    return await fetched(running, "SELECT COUNT(*) FROM ramet_saga WHERE ended_at IS NULL") == 0


async def test_where_nothing_ever_ran_there_is_nothing(house: House) -> None:
    assert (await house.maintenance.ask(GetStatus(), Status)).services == ()
    assert (await house.maintenance.ask(ListSagas(), SagaList)).sagas == ()
    with pytest.raises(NotFound):
        await house.maintenance.ask(ReplayEvents(event="none"), Changed)


async def test_a_replay_is_done_at_the_next_start(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await knocked_in_vain(house)
    changed = await house.maintenance.ask(ReplayEvents(consumer="doors.answer"), Changed)
    assert changed == Changed(count=1, later=True)
    monkeypatch.setattr(DoorsService, "broken", False)
    async with house.running() as running:

        async def is_handled() -> bool:
            return await fetched(running, "SELECT COUNT(*) FROM ramet_dead_letter") == 0

        await until(running, is_handled)


async def test_a_discarded_letter_is_gone(house: House) -> None:
    await knocked_in_vain(house)
    (letter,) = (await house.maintenance.ask(ListEvents(), EventList)).dead
    assert (await house.maintenance.ask(DiscardEvents(event=letter.event_id), Changed)).count == 1
    assert (await house.maintenance.ask(ListEvents(), EventList)).dead == ()


async def test_a_saga_is_tried_again_at_the_next_start(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DoorsService, "locked", False)
    await stuck_at_the_door(house, monkeypatch)
    assert await house.maintenance.ask(RetrySaga(saga="Visit/front"), Changed) == Changed(count=1, later=True)
    async with house.running() as running:
        await until(running, lambda: ended(running))
    detail = await house.maintenance.ask(ShowSaga(saga="Visit/front"), SagaDetail)
    assert detail.history.saga.status is SagaStatus.COMPLETED


async def test_a_saga_is_turned_back_at_the_next_start(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = await stuck_at_the_door(house, monkeypatch)
    assert await house.maintenance.ask(CancelSaga(saga=identity), Changed) == Changed(count=1, later=True)
    async with house.running() as running:
        await until(running, lambda: ended(running))
    detail = await house.maintenance.ask(ShowSaga(saga=identity), SagaDetail)
    assert detail.history.saga.status is SagaStatus.COMPENSATED


async def test_a_call_starts_the_application_for_as_long_as_it_takes(house: House) -> None:
    assert (await house.maintenance.ask(Call(contract="doors", method="count"), Called)).result == 3


async def test_databases_that_a_process_has_are_not_changed_by_another(house: House) -> None:
    async with house.running():
        assert (await house.maintenance.ask(GetStatus(), Status)).services[0].name == "doors"
        with pytest.raises(StorageError, match="is in use by process"):
            await house.maintenance.ask(ReplayEvents(consumer="doors.answer"), Changed)
