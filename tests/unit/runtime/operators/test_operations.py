"""What operators see and do, on an application that runs and on its databases alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ramet.contract.application import Application
from ramet.errors import InternalError, InvalidArguments, NotFound, UsageError
from ramet.runtime.operators.operations import Operations, Place
from ramet.runtime.operators.requests import (
    Call,
    CancelSaga,
    DiscardEvents,
    GetStatus,
    ListEvents,
    ListSagas,
    ReplayEvents,
    RetrySaga,
    ShowEvent,
    ShowSaga,
)
from ramet.testing import RunningApplication, running
from tests.unit.runtime.operators.house import Doors, DoorsService


@asynccontextmanager
async def operating(*, alone: bool = False) -> AsyncIterator[tuple[RunningApplication, Operations]]:
    """The application, and its operations; `alone`: on the databases, as when nothing runs."""
    async with running(Application("house", services=[DoorsService])) as app:
        place = Place(
            application="house",
            deployment="local",
            storages=app.running.storages,
            clock=app.clock,
            running=None if alone else app.running,
        )
        yield app, Operations(place)


async def test_the_status_counts_calls_refusals_and_errors() -> None:
    async with operating() as (app, operations):
        doors = app.client(Doors)
        await doors.count()
        with pytest.raises(Doors.Locked):
            await doors.open("front")
        with pytest.raises(InternalError):
            await doors.fall()
        status = await operations.status(GetStatus())
        (service,) = status.services
        assert (service.calls, service.refusals, service.errors) == (3, 1, 1)
        assert {method.name: method.calls for method in service.methods}["doors.count"] == 1
        assert status.running
        assert status.uptime_seconds is not None


async def test_the_status_counts_the_events_that_were_handled_and_the_supervisor_is_told() -> None:
    async with operating() as (app, operations):
        app.service(DoorsService).broken = False
        await app.client(Doors).knock("front")

        async def handled() -> bool:
            return (await operations.status(GetStatus())).services[0].events_handled == 1

        await app.eventually(handled)
        assert operations.counted().services[0].events_handled == 1


async def test_without_a_process_the_databases_tell() -> None:
    async with operating(alone=True) as (_, operations):
        status = await operations.status(GetStatus())
        assert (status.running, status.pid, status.services[0].calls) == (False, None, 0)
        with pytest.raises(UsageError, match="needs the running application"):
            await operations.call(Call(contract="doors", method="count"))


async def test_dead_letters_are_listed_shown_replayed_and_discarded() -> None:
    async with operating() as (app, operations):
        await app.client(Doors).knock("front")
        await app.client(Doors).knock("back")

        async def dead() -> int:
            return len((await operations.list_events(ListEvents())).dead)

        async def both() -> bool:
            return await dead() == 2

        await app.eventually(both)
        assert (await operations.status(GetStatus())).services[0].events_dead == 2
        first, second = (await operations.list_events(ListEvents(consumer="doors.answer"))).dead
        shown = await operations.show_event(ShowEvent(event=first.event_id))
        assert "nobody is at home" in shown.letters[0].letter.error
        app.service(DoorsService).broken = False
        assert (await operations.replay_events(ReplayEvents(event=first.event_id))).count == 1

        async def one() -> bool:
            return await dead() == 1

        await app.eventually(one)
        assert (await operations.discard_events(DiscardEvents(event=second.event_id))).count == 1
        assert await dead() == 0


async def test_dead_letters_without_a_name_are_nobodys() -> None:
    async with operating() as (_, operations):
        for wish in (operations.replay_events(ReplayEvents()), operations.discard_events(DiscardEvents())):
            with pytest.raises(UsageError, match="an event's id, a consumer, or both"):
                await wish
        with pytest.raises(NotFound):
            await operations.replay_events(ReplayEvents(event="none"))


@pytest.mark.parametrize("alone", [False, True])
async def test_a_consumer_that_nobody_knows_is_told_with_its_neighbour(alone: bool) -> None:
    async with operating(alone=alone) as (_, operations):
        for wish in (
            operations.replay_events(ReplayEvents(consumer="doors.anser")),
            operations.discard_events(DiscardEvents(consumer="doors.anser")),
            operations.list_events(ListEvents(consumer="doors.anser")),
        ):
            with pytest.raises(NotFound, match=r'no consumer "doors.anser"; did you mean "doors.answer"\?'):
                await wish
        assert (await operations.replay_events(ReplayEvents(consumer="doors.answer"))).count == 0


async def test_sagas_are_listed_shown_and_turned_back() -> None:
    async with operating() as (app, operations):
        identity = await app.client(Doors).enter("front")

        async def ended() -> bool:
            found = await operations.list_sagas(ListSagas(name="Visit", key="front"))
            return found.sagas[0].saga.ended is not None

        await app.eventually(ended)
        detail = await operations.show_saga(ShowSaga(saga=identity))
        assert detail.service == "doors"
        assert (await operations.show_saga(ShowSaga(saga="Visit/front"))).history == detail.history
        assert (await operations.status(GetStatus())).services[0].sagas == {"compensated": 1}
        with pytest.raises(UsageError, match="has ended"):
            await operations.cancel_saga(CancelSaga(saga=identity))
        with pytest.raises(UsageError, match="has ended"):
            await operations.retry_saga(RetrySaga(saga="Visit/front"))


async def test_a_saga_that_is_not_there_is_not_found() -> None:
    async with operating() as (_, operations):
        for saga in ("none", "Visit/none", "/", ""):
            with pytest.raises(NotFound, match="ramet sagas list"):
                await operations.show_saga(ShowSaga(saga=saga))
        with pytest.raises(NotFound, match='There is no service "x"'):
            await operations.list_sagas(ListSagas(service="x"))


async def test_a_call_gives_plain_values_or_the_refusal() -> None:
    async with operating() as (_, operations):
        called = await operations.answer(Call(contract="Doors", method="count"))
        assert called.result == 3
        refused = await operations.answer(Call(contract="doors", method="open", arguments={"door": "front"}))
        assert (refused.refused.kind, refused.refused.facts) == ("Locked", {"door": "front"})
        assert refused.refused.message == "The door front is locked."


async def test_a_result_that_is_no_value_names_the_method() -> None:
    async with operating() as (_, operations):
        with pytest.raises(InvalidArguments, match=r"doors\.hinges returned what cannot be encoded"):
            await operations.answer(Call(contract="doors", method="hinges"))


async def test_a_call_that_does_not_fit_says_what_there_is() -> None:
    async with operating() as (_, operations):
        with pytest.raises(InvalidArguments, match='doors has no method "counts"; did you mean "count"'):
            await operations.answer(Call(contract="doors", method="counts"))
        with pytest.raises(InvalidArguments, match='the argument "door" is missing'):
            await operations.answer(Call(contract="doors", method="open"))
