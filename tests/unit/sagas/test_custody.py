"""Several processes run the sagas of one database: each saga belongs to one of them, and survives its death."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from ramet.contract.saga import Saga, step, wait
from ramet.contract.struct import Event, Struct
from ramet.errors import IncompatibleRelease, NotFound, UsageError
from ramet.sagas.custody import CLAIM_EVERY_SECONDS, STILL_SECONDS
from ramet.sagas.definition import make_definition
from ramet.sagas.progress import Status
from ramet.sagas.views import Views
from ramet.storage.leases import BEAT_SECONDS, SILENCE_SECONDS
from tests.unit.sagas.examples import ALL, Checkout
from tests.unit.sagas.replicas import Group
from tests.unit.sagas.world import Participant

TAKEN_OVER = SILENCE_SECONDS + 3 * BEAT_SECONDS
Make = Callable[..., Awaitable[Group]]


class Approved(Event, key="order"):
    order: str


class Approval(Saga):
    there: Participant

    class State(Struct):
        order: str = "o"

    @step
    async def ask(self, state: State) -> State:
        await self.there.call("boss.ask", state.order)
        return state

    @wait(Approved)
    async def approved(self, state: State, event: Approved) -> State:
        return state

    @step
    async def tell(self, state: State) -> State:
        await self.there.call("mail.tell", state.order)
        return state


class Patient(Saga):
    """Has a step that takes long, and then waits."""

    there: Participant

    class State(Struct):
        pass

    @step(timeout="16m", attempts=2)
    async def long(self, state: State) -> State:
        await self.there.call("patience.long", "o")
        return state

    @wait(delay="1d")
    async def think(self, state: State) -> State:
        return state


class Longer(Saga):
    """The next release's Approval, which cannot go on with the old one's."""

    class State(Struct):
        order: str = "o"

    @step
    async def first(self, state: State) -> State:
        return state


Longer.__name__ = Longer.__qualname__ = "Approval"


@pytest.fixture
async def group(tmp_path: Path) -> AsyncIterator[Make]:
    """`await group(2, Checkout)` opens two processes that run this saga."""
    made: list[Group] = []

    async def make(count: int, *sagas: type[Saga]) -> Group:
        one = Group(tmp_path, *sagas)
        made.append(one)
        await one.open(count)
        return one

    yield make
    for one in made:
        await one.close()


async def test_a_saga_is_run_by_the_process_that_began_it_alone(group: Make) -> None:
    g = await group(3, Checkout)
    saga = await g.replicas[1].start(Checkout, "1", Checkout.State())
    await g.run(60)
    assert await g.status(saga) == "completed"
    assert g.there.effects == ALL
    assert len(g.there.calls) == len(ALL)
    assert "taken over" not in await g.kinds(saga)


async def test_survivors_go_on_with_the_step_that_a_dead_worker_had_in_flight(group: Make) -> None:
    g = await group(2, Checkout)
    g.there.plan("cards.charge", "hangs")
    saga = await g.replicas[0].start(Checkout, "1", Checkout.State())
    await g.run()
    await g.replicas[0].kill()
    await g.run(TAKEN_OVER)
    assert await g.status(saga) == "completed"
    assert g.there.effects == ALL
    keys = [key for method, key in g.there.calls if method == "cards.charge"]
    assert keys == [f"{saga}/charge/do/cards.charge/1"] * 2
    assert (await g.kinds(saga))[1] == "taken over"


async def test_nothing_is_taken_from_a_worker_that_lives(group: Make) -> None:
    g = await group(2, Approval)
    saga = await g.replicas[0].start(Approval, "o", Approval.State())
    await g.run(600)
    assert await g.kinds(saga) == ["did ask"]


async def test_a_worker_that_leaves_hands_its_sagas_back_at_once(group: Make) -> None:
    g = await group(2, Approval)
    saga = await g.replicas[0].start(Approval, "o", Approval.State())
    await g.run()
    await g.stop(g.replicas[0])
    await g.run(0.5)
    assert await g.kinds(saga) == ["did ask", "taken over"]
    await g.replicas[1].publish(Approval, Approved(order="o"))
    await g.run(0.5)
    assert await g.status(saga) == "completed"


async def test_a_frozen_worker_that_wakes_does_no_harm_and_goes_on_as_another(group: Make) -> None:
    g = await group(2, Checkout)
    saga = await g.replicas[0].start(Checkout, "1", Checkout.State())
    frozen, before = g.replicas[0], g.replicas[0].leases.worker
    frozen.gate.freeze()
    await g.run(TAKEN_OVER)
    assert await g.status(saga) == "completed"
    frozen.gate.wake()
    await g.run(TAKEN_OVER)
    assert g.there.effects == ALL
    assert frozen.leases.worker != before
    again = await frozen.start(Checkout, "2", Checkout.State(order="p"))
    await g.run(1)
    assert await g.status(again) == "completed"


async def test_what_a_worker_begins_while_it_becomes_another_goes_on(group: Make) -> None:
    g = await group(2, Checkout)
    frozen, before = g.replicas[0], g.replicas[0].leases.worker
    frozen.gate.freeze()
    await g.run(TAKEN_OVER)
    frozen.gate.wake()
    g.there.plan("stock.reserve", "broken")
    while frozen.leases.worker == before:
        await g.clock.settle(1)
    saga = await frozen.start(Checkout, "1", Checkout.State())
    await g.run(60)
    assert await g.status(saga) == "completed"
    assert g.there.effects == ALL


async def test_an_event_that_arrives_in_another_process_wakes_the_saga(group: Make) -> None:
    g = await group(2, Approval)
    saga = await g.replicas[0].start(Approval, "o", Approval.State())
    await g.run()
    await g.replicas[1].publish(Approval, Approved(order="o"))
    await g.run(0.1)
    assert await g.status(saga) == "completed"


async def test_an_event_whose_notification_was_lost_is_found(group: Make) -> None:
    g = await group(2, Approval)
    saga = await g.replicas[0].start(Approval, "o", Approval.State())
    await g.run()
    g.replicas[1].storage.notify = lambda channel: None  # type: ignore[method-assign]  # the fault
    await g.replicas[1].publish(Approval, Approved(order="o"))
    await g.run(1)
    assert await g.status(saga) == "waiting"
    await g.run(5)
    assert await g.status(saga) == "completed"


async def test_an_operator_reaches_a_saga_through_any_process(group: Make) -> None:
    g = await group(2, Checkout)
    g.there.plan("parcels.ship", *["broken"] * 3)
    g.there.plan("mail.tell", *["refused"])
    saga = await g.replicas[0].start(Checkout, "1", Checkout.State())
    await g.run(300)
    assert await g.status(saga) == "parked"
    with pytest.raises(UsageError, match="can only go forward"):
        await g.replicas[1].engine.cancel(saga)
    await g.replicas[1].engine.retry(saga)
    await g.run(1)
    assert await g.status(saga) == "completed"
    assert g.there.effects == ALL
    with pytest.raises(NotFound):
        await g.replicas[1].engine.retry("0")


async def test_a_saga_that_is_cancelled_through_another_process_is_undone_once(group: Make) -> None:
    g = await group(2, Checkout)
    g.there.plan("cards.charge", "hangs")
    saga = await g.replicas[0].start(Checkout, "1", Checkout.State())
    await g.run()
    await g.replicas[1].engine.cancel(saga)
    await g.run(60)
    assert await g.status(saga) == "compensated"
    assert g.there.effects[0] == "stock.reserve o"
    assert g.there.effects[-1] == "stock.release o"
    assert len(g.there.effects) == len(set(g.there.effects))


async def test_many_sagas_of_a_dead_worker_are_shared_by_the_survivors(group: Make) -> None:
    g = await group(3, Approval)
    sagas = [await g.replicas[0].start(Approval, str(n), Approval.State(order=str(n))) for n in range(900)]
    await g.run(1)
    await g.replicas[0].kill()
    await g.run(TAKEN_OVER)
    rows = await g.storage.fetch("SELECT owner, count(*) FROM ramet_saga GROUP BY owner")
    assert sum(count for _, count in rows) == len(sagas)
    assert {owner for owner, _ in rows} <= {one.leases.worker for one in g.replicas[1:]}
    for n in range(900):
        await g.replicas[1 + n % 2].publish(Approval, Approved(order=str(n)))
    await g.run(10)
    assert await g.views.counts() == {"completed": 900}
    assert len(g.there.effects) == 1800


async def test_a_release_starts_beside_the_one_that_can_go_on_and_leaves_it_its_sagas(
    group: Make, caplog: pytest.LogCaptureFixture
) -> None:
    g = await group(1, Approval)
    saga = await g.replicas[0].start(Approval, "o", Approval.State())
    await g.run()
    new = await g.add(Longer)
    await g.run(60)
    assert await g.kinds(saga) == ["did ask"]
    with pytest.raises(UsageError, match="belongs to another release"):
        await new.engine.cancel(saga)
    with caplog.at_level(logging.ERROR, "ramet.sagas"):
        await g.stop(g.replicas[0])
        await g.run(1)
    assert f"Approval o ({saga})" in caplog.text
    assert "cannot go on with them" in caplog.text
    await g.add(Approval)
    await g.run(1)
    assert await g.kinds(saga) == ["did ask", "taken over"]


async def test_a_release_that_replaces_those_that_run_is_refused_what_only_they_can_go_on_with(group: Make) -> None:
    g = await group(1, Approval)
    saga = await g.replicas[0].start(Approval, "o", Approval.State())
    await g.run()
    with pytest.raises(IncompatibleRelease, match='where it has "ask", this release has "first"') as caught:
        await g.add(Longer, replaces=True)
    assert caught.value.stranded == (saga,)
    await g.add(Approval, replaces=True)
    await g.stop(g.replicas[0])
    await g.run(1)
    assert await g.kinds(saga) == ["did ask", "taken over"]


async def test_what_a_release_strands_is_shown_with_the_step_that_it_lacks(group: Make) -> None:
    g = await group(1, Approval)
    saga = await g.replicas[0].start(Approval, "o", Approval.State())
    await g.run()
    await g.add(Longer)
    seen = Views(g.storage, [make_definition(Longer, Longer())])
    (shown,) = await seen.sagas()
    assert (shown.status, shown.at, shown.error) == ("running", "approved", None), "the old release has it"
    assert (await seen.counts(), await seen.sagas(status=Status.STRANDED)) == ({"running": 1}, ())
    await g.stop(g.replicas[0])
    (shown,) = await seen.sagas(status=Status.STRANDED)
    assert (shown.id, shown.status, shown.at) == (saga, "stranded", "approved")
    assert shown.error == (
        'where it has "ask", this release has "first": it waits for a process of the release that started it'
    )
    assert await seen.sagas() == (shown,)
    assert (await seen.show(saga)).saga == shown
    assert await seen.counts() == {"stranded": 1}
    gone = Views(g.storage, ())
    assert [one.error for one in await gone.sagas(status=Status.STRANDED, key="o")] == [
        "this release has no saga Approval: it waits for a process of the release that started it"
    ]
    await g.add(Approval)
    await g.run(1)
    assert (await seen.counts(), await g.status(saga)) == ({"running": 1}, "waiting")


async def test_a_release_that_would_strand_the_sagas_of_the_dead_is_refused(group: Make) -> None:
    g = await group(1, Approval)
    saga = await g.replicas[0].start(Approval, "o", Approval.State())
    await g.run()
    await g.replicas[0].kill()
    with pytest.raises(IncompatibleRelease, match="1 saga of orders") as caught:
        await g.add(Longer)
    assert caught.value.stranded == (saga,)


async def test_a_saga_that_its_living_worker_has_forgotten_is_found(
    group: Make, caplog: pytest.LogCaptureFixture
) -> None:
    g = await group(1, Checkout)
    g.there.plan("cards.charge", "down")
    saga = await g.replicas[0].start(Checkout, "1", Checkout.State())
    await g.run()
    g.replicas[0].engine._runner.drop()
    await g.run(STILL_SECONDS + 2 * CLAIM_EVERY_SECONDS)
    assert await g.status(saga) == "completed"
    assert f"1 sagas stood still, since this process had forgotten them, and go on now: {saga}" in caplog.text


async def test_a_forgotten_saga_is_found_as_soon_among_many_that_wait(group: Make) -> None:
    g = await group(1, Checkout, Approval)
    (worker,) = g.replicas
    for n in range(1500):
        await worker.start(Approval, str(n), Approval.State(order=str(n)))
    g.there.plan("cards.charge", "down")
    saga = await worker.start(Checkout, "1", Checkout.State())
    await g.run()
    worker.engine._runner.drop()
    worker.storage.fault.arm()
    await g.run(STILL_SECONDS + 2 * CLAIM_EVERY_SECONDS)
    assert await g.status(saga) == "completed"
    assert worker.storage.fault.count < 300, "those that wait are not read"


async def test_a_saga_that_has_a_reason_to_stand_still_is_not_taken_for_forgotten(
    group: Make, caplog: pytest.LogCaptureFixture
) -> None:
    g = await group(2, Checkout, Approval, Patient)
    g.there.plan("mail.tell", "refused")
    g.there.plan("patience.long", "hangs")
    parked = await g.replicas[0].start(Checkout, "1", Checkout.State())
    waiting = await g.replicas[0].start(Approval, "2", Approval.State())
    slow = await g.replicas[0].start(Patient, "3", Patient.State())
    await g.run(900)
    assert [await g.status(saga) for saga in (parked, waiting)] == ["parked", "waiting"]
    assert await g.kinds(slow) == []
    assert await g.kinds(waiting) == ["did ask"]
    assert "forgotten" not in caplog.text
    await g.run(900)
    assert await g.kinds(slow) == ["did long"]
    assert "forgotten" not in caplog.text
