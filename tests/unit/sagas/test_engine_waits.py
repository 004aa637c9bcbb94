"""Waiting for events and times."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from ramet.clock import VirtualClock
from ramet.contract.saga import Saga, step, wait
from ramet.contract.struct import Event, Struct
from ramet.sagas.progress import Status
from ramet.telemetry.context import Context
from tests.unit.sagas.conftest import MakeWorld
from tests.unit.sagas.world import Participant, World


class Paid(Event, key="order"):
    order: str
    amount: int = 0


class Payment(Saga):
    there: Participant

    class State(Struct):
        amount: int = 0

    @step
    async def ask(self, state: State) -> State:
        await self.there.call("cards.ask", "o")
        return state

    @ask.undo
    async def forget(self, state: State) -> State | None:
        await self.there.call("cards.forget", "o")
        return None

    @wait(Paid, timeout="1h")
    async def paid(self, state: State, event: Paid) -> State:
        return Payment.State(amount=event.amount)


class Patience(Saga):
    class State(Struct):
        until: datetime | None = None
        seen: tuple[str, ...] = ()

    @wait(delay="10m")
    async def cool(self, state: State) -> State:
        return Patience.State(until=state.until, seen=(*state.seen, "cool"))

    @wait(until="until")
    async def arrive(self, state: State) -> State:
        return Patience.State(until=state.until, seen=(*state.seen, "arrive"))


async def test_an_event_is_kept_when_it_arrives_before_the_saga(world: MakeWorld) -> None:
    w = await world(Payment)
    await w.publish(Payment, Paid(order="1", amount=5))
    saga = await w.start(Payment, "1", Payment.State())
    await w.run()
    assert (await w.views.show(saga)).state == {"amount": 5}


async def test_an_event_is_kept_when_it_arrives_before_the_step(world: MakeWorld) -> None:
    w = await world(Payment)
    w.there.plan("cards.ask", "down")
    saga = await w.start(Payment, "1", Payment.State())
    await w.run()
    await w.publish(Payment, Paid(order="1", amount=5))
    await w.run(1)
    assert (await w.views.show(saga)).state == {"amount": 5}


async def test_an_event_wakes_the_saga_with_its_key_alone_also_after_a_crash(world: MakeWorld) -> None:
    w = await world(Payment)
    first = await w.start(Payment, "1", Payment.State())
    second = await w.start(Payment, "2", Payment.State())
    await w.run()
    assert w.engine.idle
    await w.publish(Payment, Paid(order="1", amount=5))
    await w.run()
    assert [await w.status(first), await w.status(second)] == ["completed", "waiting"]
    await w.reopen()
    await w.publish(Payment, Paid(order="2", amount=7))
    await w.run()
    assert (await w.views.show(second)).state == {"amount": 7}
    assert await w.storage.fetch("SELECT * FROM ramet_signal") == []


async def test_an_event_that_arrived_while_nobody_looked_is_found_at_the_next_start(world: MakeWorld) -> None:
    w = await world(Payment)
    saga = await w.start(Payment, "1", Payment.State())
    await w.run()
    await w.engine.stop()
    await w.publish(Payment, Paid(order="1", amount=5))
    await w.reopen()
    await w.run()
    assert await w.status(saga) == "completed"


async def test_an_event_that_does_not_come_in_time_undoes_also_across_a_crash(world: MakeWorld) -> None:
    w = await world(Payment)
    saga = await w.start(Payment, "1", Payment.State())
    await w.run(3000)
    (shown,) = await w.views.sagas(status=Status.WAITING)
    assert shown.until is not None
    assert (shown.until - shown.started).total_seconds() == 3600
    await w.reopen()
    await w.run(599)
    assert await w.status(saga) == "waiting"
    await w.run(2)
    assert await w.status(saga) == "compensated"
    assert w.there.effects == ["cards.ask o", "cards.forget o"]
    assert (await w.views.show(saga)).saga.reason == "Paid, for which paid waits, has not come in time."


async def test_a_waiting_saga_can_be_cancelled(world: MakeWorld) -> None:
    w = await world(Payment)
    saga = await w.start(Payment, "1", Payment.State())
    await w.run()
    await w.engine.cancel(saga)
    await w.run()
    assert await w.status(saga) == "compensated"


async def test_a_saga_waits_for_a_time_also_across_a_crash(world: MakeWorld) -> None:
    w = await world(Patience)
    soon = datetime.fromtimestamp(w.clock.time() + 1800, tz=w.clock.now().tzinfo)
    saga = await w.start(Patience, "1", Patience.State(until=soon))
    await w.run(300)
    await w.reopen()
    await w.run(299)
    assert await w.kinds(saga) == []
    await w.run(2)
    assert await w.kinds(saga) == ["did cool"]
    await w.run(1198)
    assert await w.status(saga) == "waiting"
    await w.run(2)
    assert await w.status(saga) == "completed"


class SetClock(VirtualClock):
    """A machine whose clock is set, or which was asleep."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


async def test_a_clock_that_is_set_forward_is_noticed_within_minutes(tmp_path: Path) -> None:
    w = World(tmp_path / "orders.sqlite", Payment, clock=SetClock())
    await w.open()
    saga = await w.start(Payment, "1", Payment.State())
    await w.run()
    w.clock.ahead = 3600.0  # type: ignore[attr-defined]  # a SetClock, as given above
    await w.run(301)
    assert await w.status(saga) == "compensated"
    await w.close()


async def test_ten_thousand_waiting_sagas_cost_no_task_and_no_state_in_memory(world: MakeWorld) -> None:
    w = await world(Payment)
    context = Context(execution="e", trace="t")
    for at in range(2_000):
        await w.engine.launch(Payment, key=str(at), state=Payment.State(), context=context)
    await w.run()
    assert w.engine.idle
    assert len(w.tasks) <= 130
    await w.publish(Payment, Paid(order="1999"))
    await w.run()
    assert (await w.views.counts()) == {"running": 1_999, "completed": 1}


async def test_an_event_that_nobody_needs_any_more_is_forgotten_after_a_week(world: MakeWorld) -> None:
    w = await world(Payment)
    await w.publish(Payment, Paid(order="nobody"))
    await w.run(6 * 86_400)
    assert len(await w.storage.fetch("SELECT * FROM ramet_signal")) == 1
    await w.run(2 * 86_400)
    assert await w.storage.fetch("SELECT * FROM ramet_signal") == []


class Delivery(Saga):
    there: Participant

    class State(Struct):
        pass

    @step(pivot=True)
    async def send(self, state: State) -> State:
        return state

    @wait(Paid, timeout="1h")
    async def paid(self, state: State, event: Paid) -> State:
        return state


async def test_a_wait_after_the_pivot_that_is_overdue_parks_and_a_retry_waits_anew(world: MakeWorld) -> None:
    w = await world(Delivery)
    saga = await w.start(Delivery, "1", Delivery.State())
    await w.run(3601)
    assert await w.status(saga) == "parked"
    await w.engine.retry(saga)
    await w.run(3500)
    assert await w.status(saga) == "waiting"
    await w.publish(Delivery, Paid(order="1"))
    await w.run()
    assert await w.status(saga) == "completed"
