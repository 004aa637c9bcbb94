"""What the engine does with refusals, failures, crashes, waits and operators; on a real database."""

from __future__ import annotations

from datetime import datetime

import pytest

from ramet.contract.saga import Saga, step, wait
from ramet.contract.struct import Event, Struct
from ramet.errors import NotFound, StorageError, UsageError
from ramet.sagas.progress import Status
from ramet.storage.base import Write
from ramet.storage.work import transact
from ramet.telemetry.context import Context, current_context
from ramet.telemetry.scope import Scope, Work, current_scope
from tests.unit.sagas.conftest import MakeWorld
from tests.unit.sagas.world import Participant


class Checkout(Saga):
    """Reserve, charge, ship, tell."""

    there: Participant

    class State(Struct):
        """What the steps pass on."""

        order: str = "o"
        reserved: bool = False
        charged: bool = False

    @step(attempts=3)
    async def reserve(self, state: State) -> State:
        await self.there.call("stock.reserve", state.order)
        return Checkout.State(order=state.order, reserved=True)

    @reserve.undo
    async def release(self, state: State) -> State | None:
        await self.there.call("stock.release", state.order)
        return None

    @step(attempts=3, timeout="2s")
    async def charge(self, state: State) -> State:
        await self.there.call("cards.charge", state.order)
        return Checkout.State(order=state.order, reserved=state.reserved, charged=True)

    @charge.undo
    async def refund(self, state: State) -> State | None:
        await self.there.call("cards.refund", state.order)
        return None

    @step(pivot=True)
    async def ship(self, state: State) -> State:
        await self.there.call("parcels.ship", state.order)
        return state

    @step
    async def tell(self, state: State) -> State:
        await self.there.call("mail.tell", state.order)
        return state


ALL = ["stock.reserve o", "cards.charge o", "parcels.ship o", "mail.tell o"]


async def test_a_saga_does_its_steps_in_order_and_remembers_each(world: MakeWorld) -> None:
    w = await world(Checkout)
    saga = await w.start(Checkout, "1", Checkout.State())
    await w.run()
    assert w.there.effects == ALL
    assert await w.status(saga) == "completed"
    assert await w.kinds(saga) == ["did reserve", "did charge", "did ship", "did tell"]
    assert (await w.views.show(saga)).state == {"order": "o", "reserved": True, "charged": True}
    assert w.engine.idle


async def test_a_refused_step_is_not_undone_and_those_before_it_are_in_reverse(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("parcels.ship", "refused")
    saga = await w.start(Checkout, "1", Checkout.State())
    await w.run()
    assert w.there.effects == ["stock.reserve o", "cards.charge o", "cards.refund o", "stock.release o"]
    assert await w.status(saga) == "compensated"
    assert (await w.views.show(saga)).saga.reason == "o was declined."
    assert w.there.withdrawn == []


async def test_a_failure_is_retried_with_the_same_key_after_a_growing_pause(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("stock.reserve", "broken", "lost")
    saga = await w.start(Checkout, "1", Checkout.State())
    await w.run()
    assert w.there.effects == []
    shown = (await w.views.sagas())[0]
    assert (shown.status, shown.at, shown.attempts, shown.error) == (Status.RUNNING, "reserve", 1, "RuntimeError: broken")
    await w.run(1)
    assert w.there.effects == ALL
    assert {key for method, key in w.there.calls if method == "stock.reserve"} == {f"{saga}/reserve/do/stock.reserve/1"}


async def test_a_step_whose_outcome_is_unknown_is_withdrawn_and_undone_too(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("cards.charge", "late", "late", "broken")
    saga = await w.start(Checkout, "1", Checkout.State())
    await w.run(60)
    assert w.there.withdrawn == [f"{saga}/charge/do/cards.charge/1"]
    assert w.there.effects == ["stock.reserve o", "cards.refund o", "stock.release o"]
    w.there.deliver()
    assert w.there.effects == ["stock.reserve o", "cards.refund o", "stock.release o"]
    assert await w.status(saga) == "compensated"


async def test_a_step_that_provably_was_not_executed_is_not_undone(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("cards.charge", "down", "down", "down")
    await w.start(Checkout, "1", Checkout.State())
    await w.run(60)
    assert w.there.effects == ["stock.reserve o", "stock.release o"]
    assert w.there.withdrawn == []


async def test_a_step_that_takes_too_long_is_retried(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("cards.charge", "hangs")
    await w.start(Checkout, "1", Checkout.State())
    await w.run(1.9)
    assert len(w.there.calls) == 2
    await w.run(0.15)
    assert (await w.views.sagas())[0].error == "charge took longer than 2 s"
    await w.run(1)
    assert w.there.effects == ALL


async def test_after_the_pivot_failures_are_retried_for_ever(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("mail.tell", *["down"] * 40)
    saga = await w.start(Checkout, "1", Checkout.State())
    await w.run(60 * 35)
    assert await w.status(saga) == "completed"
    assert w.there.effects == ALL


async def test_a_refusal_after_the_pivot_parks_and_a_retry_asks_with_another_key(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("mail.tell", "refused")
    saga = await w.start(Checkout, "1", Checkout.State())
    await w.run(3600)
    assert await w.status(saga) == "parked"
    assert (await w.views.sagas(status=Status.PARKED))[0].reason == "o was declined."
    with pytest.raises(UsageError, match="can only go forward"):
        await w.engine.cancel(saga)
    await w.engine.retry(saga)
    await w.run()
    assert await w.status(saga) == "completed"
    assert w.there.calls[-1] == ("mail.tell", f"{saga}/tell/do/mail.tell/1~1")


async def test_an_undo_that_keeps_failing_parks_and_a_retry_goes_on(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("parcels.ship", "refused")
    w.there.plan("cards.refund", "broken", "refused", "broken")
    saga = await w.start(Checkout, "1", Checkout.State())
    await w.run(3600)
    shown = (await w.views.sagas())[0]
    assert (shown.status, shown.at, shown.error) == (Status.PARKED, "charge", "RuntimeError: broken")
    assert w.there.effects == ["stock.reserve o", "cards.charge o"]
    await w.reopen()
    await w.run(3600)
    assert await w.status(saga) == "parked"
    await w.engine.retry(saga)
    await w.run()
    assert await w.status(saga) == "compensated"
    assert w.there.effects == ["stock.reserve o", "cards.charge o", "cards.refund o", "stock.release o"]


async def test_withdrawing_that_fails_is_retried_before_the_undo(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("cards.charge", "late", "late", "late")
    w.there.withdrawing_fails = 2
    saga = await w.start(Checkout, "1", Checkout.State())
    await w.run(60)
    assert await w.status(saga) == "compensated"
    assert "cards.refund o" in w.there.effects


async def test_a_second_start_finds_the_first(world: MakeWorld) -> None:
    w = await world(Checkout)
    context = Context(execution="e", trace="t")
    first = await w.engine.launch(Checkout, key="1", state=Checkout.State(), context=context)
    await w.run()
    again = await w.engine.launch(Checkout, key="1", state=Checkout.State(), context=context)
    assert (first.started, again.started, again.id) == (True, False, first.id)
    assert w.there.effects == ALL


async def test_a_start_belongs_to_the_transaction_it_is_made_in(world: MakeWorld) -> None:
    w = await world(Checkout)
    context = Context(execution="e", trace="t")

    async def twice() -> list[bool]:
        scope = current_scope.get()
        assert scope is not None
        refs = [
            await w.engine.begin(scope.unit, Checkout, key="1", state=Checkout.State(), context=context)  # type: ignore[arg-type]
            for _ in range(2)
        ]
        assert refs[0].id == refs[1].id
        return [ref.started for ref in refs]

    async def fails() -> None:
        await twice()
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        await transact(w.storage, Scope("orders", Work.COMMAND, "place"), fails)
    await w.run()
    assert await w.views.sagas() == ()
    assert await transact(w.storage, Scope("orders", Work.COMMAND, "place"), twice) == [True, False]
    await w.run()
    assert w.there.effects == ALL


async def test_a_state_of_another_saga_is_refused(world: MakeWorld) -> None:
    w = await world(Checkout)
    with pytest.raises(UsageError, match="give it a Checkout.State"):
        await w.start(Checkout, "1", Struct())


async def test_cancel_undoes_before_the_pivot(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("cards.charge", "down")
    saga = await w.start(Checkout, "1", Checkout.State())
    await w.run()
    await w.engine.cancel(saga)
    await w.run()
    assert w.there.effects == ["stock.reserve o", "stock.release o"]
    assert (await w.views.show(saga)).saga.reason == "Cancelled by an operator."
    with pytest.raises(UsageError, match="has ended"):
        await w.engine.cancel(saga)
    with pytest.raises(NotFound):
        await w.engine.retry("nobody")


async def test_cancel_waits_for_the_step_under_way_and_survives_a_crash(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("cards.charge", "hangs")
    w.commands = ("cards.charge",)
    saga = await w.start(Checkout, "1", Checkout.State())
    await w.run()
    await w.engine.cancel(saga)
    await w.run()
    assert await w.status(saga) == "running"
    await w.reopen()
    await w.run()
    assert await w.status(saga) == "compensated"
    assert w.there.withdrawn == [f"{saga}/charge/do/cards.charge/1"]
    assert w.there.effects == ["stock.reserve o", "cards.refund o", "stock.release o"]


async def test_a_crash_repeats_the_step_in_flight_under_the_same_key(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("cards.charge", "hangs")
    saga = await w.start(Checkout, "1", Checkout.State())
    await w.run()
    await w.reopen()
    await w.run()
    assert await w.status(saga) == "completed"
    assert w.there.effects == ALL
    keys = [key for method, key in w.there.calls if method == "cards.charge"]
    assert keys == [f"{saga}/charge/do/cards.charge/1"] * 2


async def test_attempts_are_counted_across_crashes(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("stock.reserve", "late", "late", "late", "late")
    saga = await w.start(Checkout, "1", Checkout.State())
    for _ in range(3):
        await w.run(1)
        await w.reopen()
    await w.run(60)
    assert await w.status(saga) == "compensated"
    assert len([method for method, _ in w.there.calls if method == "stock.reserve"]) == 3


async def test_a_step_sees_the_context_the_saga_was_started_in(world: MakeWorld) -> None:
    seen: list[Context] = []

    class Curious(Saga):
        class State(Struct):
            pass

        @step(timeout="3s")
        async def look(self, state: State) -> State:
            context, scope = current_context.get(), current_scope.get()
            assert context is not None and scope is not None
            assert (scope.service, scope.work, scope.name) == ("orders", Work.STEP, "Curious.look")
            seen.append(context)
            return state

    w = await world(Curious)
    saga = await w.start(Curious, "1", Curious.State())
    await w.run()
    (context,) = seen
    assert (context.trace, context.tenant, context.baggage) == ("trace", "acme", {"a": "b"})
    assert (context.execution, context.deadline) == (f"{saga}/look/do", w.clock.monotonic() + 3)


async def test_stopping_lets_the_step_under_way_finish(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("cards.charge", "hangs")
    saga = await w.start(Checkout, "1", Checkout.State())
    await w.run()
    stopping = w.spawn(w.engine.stop())
    await w.run(1)
    assert not stopping.done()
    await w.run(1.1)
    assert stopping.done()
    await w.reopen()
    await w.run(1)
    assert await w.status(saga) == "completed"


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
    assert shown.until is not None and (shown.until - shown.started).total_seconds() == 3600
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


class Group(Saga):
    there: Participant

    class State(Struct):
        left: int = 0
        right: int = 0

    @step(parallel="both", attempts=2)
    async def left(self, state: State) -> State:
        await self.there.call("left.go", "o")
        return Group.State(left=1, right=state.right)

    @left.undo
    async def unleft(self, state: State) -> State | None:
        await self.there.call("left.back", "o")
        return None

    @step(parallel="both", attempts=2)
    async def right(self, state: State) -> State:
        await self.there.call("right.go", "o")
        return Group.State(left=state.left, right=2)

    @right.undo
    async def unright(self, state: State) -> State | None:
        await self.there.call("right.back", "o")
        return None

    @step(pivot=True)
    async def end(self, state: State) -> State:
        await self.there.call("end.go", "o")
        return state


async def test_parallel_steps_run_together_and_their_states_are_merged(world: MakeWorld) -> None:
    w = await world(Group)
    w.there.plan("left.go", "hangs")
    saga = await w.start(Group, "1", Group.State())
    await w.run()
    assert w.there.effects == ["right.go o"]
    await w.reopen()
    await w.run()
    assert w.there.effects == ["right.go o", "left.go o", "end.go o"]
    assert (await w.views.show(saga)).saga.status is Status.COMPLETED
    assert len([method for method, _ in w.there.calls if method == "right.go"]) == 1


async def test_a_refusal_in_a_group_waits_for_the_others_and_undoes_them(world: MakeWorld) -> None:
    w = await world(Group)
    w.there.plan("left.go", "refused")
    w.there.plan("right.go", "hangs", "lost")
    saga = await w.start(Group, "1", Group.State())
    await w.run(4)
    assert await w.kinds(saga) == []
    await w.run(2)
    assert w.there.effects == ["right.back o"]
    assert w.there.withdrawn == [f"{saga}/right/do/right.go/1"]
    assert await w.status(saga) == "compensated"


class Clashing(Saga):
    there: Participant

    class State(Struct):
        total: int = 0

    @step(parallel="both")
    async def one(self, state: State) -> State:
        return Clashing.State(total=1)

    @step(parallel="both")
    async def two(self, state: State) -> State:
        return Clashing.State(total=2)

    @two.undo
    async def untwo(self, state: State) -> State | None:
        await self.there.call("two.back", "o")
        return None


async def test_parallel_steps_that_set_one_field_differently_are_an_error_that_names_it(world: MakeWorld) -> None:
    w = await world(Clashing)
    saga = await w.start(Clashing, "1", Clashing.State())
    await w.run(60)
    shown = (await w.views.show(saga)).saga
    assert shown.status is Status.COMPENSATED
    assert shown.reason is not None and shown.reason.startswith('two set "total" of the state')
    assert w.there.effects == ["two.back o"]


class Dirty(Saga):
    there: Participant

    class State(Struct):
        pass

    @step
    async def both(self, state: State) -> State:
        await self.there.call("a.go", "o")
        await self.there.call("b.go", "o")
        return state

    @both.undo
    async def back(self, state: State) -> State | None:
        await self.there.call("a.back", "o")
        return None


async def test_a_refused_step_that_had_executed_something_else_is_undone_too(world: MakeWorld) -> None:
    w = await world(Dirty)
    w.there.plan("b.go", "refused")
    await w.start(Dirty, "1", Dirty.State())
    await w.run()
    assert w.there.effects == ["a.go o", "a.back o"]


async def test_after_a_crash_what_the_step_may_have_called_is_withdrawn(world: MakeWorld) -> None:
    w = await world(Dirty)
    w.commands = ("a.go", "b.go", "c.go")
    await w.reopen()
    w.there.plan("b.go", "hangs")
    w.there.plan("a.go", "", "refused")
    saga = await w.start(Dirty, "1", Dirty.State())
    await w.run()
    await w.reopen()
    w.there.answers.clear()
    await w.run()
    assert await w.status(saga) == "compensated"
    assert set(w.there.withdrawn) >= {f"{saga}/both/do/b.go/1", f"{saga}/both/do/c.go/1"}


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


async def test_what_happens_is_reported(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("stock.reserve", "down")
    w.there.plan("parcels.ship", "refused")
    await w.start(Checkout, "1", Checkout.State())
    await w.run(1)
    told = [f"{one.happened} {one.step}".strip() for one in w.moments]
    assert told == [
        "started",
        "failed reserve",
        "did reserve",
        "did charge",
        "turned back",
        "failed ship",
        "undid charge",
        "undid reserve",
        "ended",
    ]




async def test_what_follows_a_step_begins_when_the_step_is_durable(world: MakeWorld) -> None:
    w = await world(Checkout)
    write, held = w.storage.write, w.clock.sleep

    async def slowly(*writes: Write) -> tuple[int, ...]:
        await held(1)
        return await write(*writes)

    await w.start(Checkout, "1", Checkout.State())
    w.storage.write = slowly  # type: ignore[method-assign]
    await w.run(0.5)
    assert w.there.effects == ALL[:1]
    await w.run(1)
    assert w.there.effects == ALL[:2]
    await w.run(3)
    assert w.there.effects == ALL


async def test_a_journal_that_fails_is_written_again(world: MakeWorld) -> None:
    w = await world(Checkout)
    write, failures = w.storage.write, [StorageError("The disk is full."), StorageError("The disk is full.")]

    async def sometimes(*writes: Write) -> tuple[int, ...]:
        if failures:
            raise failures.pop()
        return await write(*writes)

    saga = await w.start(Checkout, "1", Checkout.State())
    w.storage.write = sometimes  # type: ignore[method-assign]
    await w.run(1)
    assert await w.status(saga) == "completed"
    assert w.there.effects == ALL


async def test_a_saga_that_went_on_elsewhere_is_read_again(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("cards.charge", "down")
    saga = await w.start(Checkout, "1", Checkout.State())
    await w.run()
    state = '{"order": "o", "reserved": true, "charged": true}'
    elsewhere = "INSERT INTO ramet_saga_log (saga, n, kind, step, data, at) VALUES (?, 1, 'did', 'charge', ?, 0)"
    await w.storage.write(Write(elsewhere, [(saga, state)]))
    other = await w.start(Checkout, "2", Checkout.State(order="p"))
    await w.run(1)
    assert [await w.status(saga), await w.status(other)] == ["completed", "completed"]
    assert w.there.effects.count("parcels.ship o") == 1


async def test_more_sagas_than_there_is_room_for_are_read_when_there_is(
    world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ramet.sagas.engine.ROOM", 3)
    w = await world(Checkout)
    for number in range(20):
        await w.start(Checkout, str(number), Checkout.State(order=str(number)))
    await w.run(1)
    assert await w.views.counts() == {"completed": 20}
    assert len(w.there.effects) == 80
