"""What refusals, failures and lost replies lead to."""

from __future__ import annotations

import asyncio

import pytest

from ramet.contract.saga import Saga, step
from ramet.contract.struct import Struct
from ramet.errors import UsageError
from ramet.sagas.progress import Status
from ramet.sagas.runner import CONCURRENCY
from tests.unit.sagas.conftest import MakeWorld
from tests.unit.sagas.examples import ALL, Checkout, Counting, Dirty


async def test_a_refused_step_is_not_undone_and_those_before_it_are_in_reverse(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("parcels.ship", "refused")
    saga = await w.start(Checkout, "1", Checkout.State())
    await w.run()
    assert w.there.effects == ["stock.reserve o", "cards.charge o", "cards.refund o", "stock.release o"]
    assert await w.status(saga) == "compensated"
    assert (await w.views.show(saga)).saga.reason == "o was declined."
    assert w.there.withdrawn == []


async def test_a_refusal_is_told_as_an_answer_and_what_may_not_be_refused_as_a_failure(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("stock.reserve", "broken")
    w.there.plan("cards.charge", "refused")
    w.there.plan("stock.release", "refused")
    await w.start(Checkout, "1", Checkout.State())
    await w.run(60)
    told = [(one.step, one.happened) for one in w.moments if one.error and one.happened in ("failed", "refused")]
    assert told == [("reserve", "failed"), ("charge", "refused"), ("reserve", "failed")]


async def test_a_failure_is_retried_with_the_same_key_after_a_growing_pause(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("stock.reserve", "broken", "lost")
    saga = await w.start(Checkout, "1", Checkout.State())
    await w.run()
    assert w.there.effects == []
    shown = (await w.views.sagas())[0]
    assert (shown.status, shown.at, shown.attempts, shown.error) == (
        Status.RUNNING,
        "reserve",
        1,
        "RuntimeError: broken",
    )
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
    w.there.plan("cards.charge", *["down"] * 40)
    saga = await w.start(Checkout, "1", Checkout.State())
    await w.run(60)
    await w.engine.cancel(saga)
    await w.run(60)
    assert w.there.effects == ["stock.reserve o", "stock.release o"]
    assert w.there.withdrawn == []


async def test_a_neighbour_that_is_away_is_waited_for_however_few_attempts_a_step_has(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("cards.charge", "broken", *["down"] * 40, "broken")
    saga = await w.start(Checkout, "1", Checkout.State())
    await w.run(300)
    shown = (await w.views.show(saga)).saga
    assert (shown.status, shown.at) == ("running", "charge")
    assert shown.attempts > 10
    await w.run(3600)
    assert await w.status(saga) == "completed"
    assert w.there.effects == ALL


async def test_an_undo_whose_neighbour_is_away_waits_and_is_not_parked(world: MakeWorld) -> None:
    w = await world(Checkout)
    w.there.plan("cards.charge", "refused")
    w.there.plan("stock.release", *["down"] * 40)
    saga = await w.start(Checkout, "1", Checkout.State())
    await w.run(300)
    assert await w.status(saga) == "compensating"
    await w.run(3600)
    assert await w.status(saga) == "compensated"
    assert w.there.effects == ["stock.reserve o", "stock.release o"]


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


async def test_a_state_of_another_saga_is_refused(world: MakeWorld) -> None:
    w = await world(Checkout)
    with pytest.raises(UsageError, match=r"give it a Checkout\.State"):
        await w.start(Checkout, "1", Struct())


@pytest.mark.parametrize(("count", "wrong"), [("three", "Expected `int`"), (object(), "unsupported")])
async def test_a_state_that_a_restart_could_not_read_is_the_failure_of_its_step_alone(
    world: MakeWorld, count: object, wrong: str
) -> None:
    w = await world(Counting)
    with pytest.raises(UsageError, match=f"cannot be kept: .*{wrong}"):
        await w.start(Counting, "0", Counting.State(count=count))  # type: ignore[arg-type]  # the mistake
    w.there.counted = count  # type: ignore[attr-defined]  # what the step puts into its state
    bad = await w.start(Counting, "1", Counting.State())
    await w.run(1)
    assert wrong in ((await w.views.show(bad)).saga.reason or "")
    w.there.counted = 3  # type: ignore[attr-defined]  # as above
    good = await w.start(Counting, "2", Counting.State())
    await w.run(1)
    assert [await w.status(one) for one in (bad, good)] == ["compensated", "completed"]
    await w.reopen()


async def test_steps_that_cancel_their_own_task_use_up_nobody_else(world: MakeWorld) -> None:
    class Stubborn(Saga):
        class State(Struct):
            cancels: bool

        @step
        async def go(self, state: State) -> State:
            task = asyncio.current_task()
            if state.cancels and task is not None:
                task.cancel()
            await asyncio.sleep(0)
            return state

    w = await world(Stubborn)
    for number in range(CONCURRENCY + 1):
        await w.start(Stubborn, f"bad {number}", Stubborn.State(cancels=True))
        await w.run()
    good = await w.start(Stubborn, "good", Stubborn.State(cancels=False))
    await w.run()
    assert await w.status(good) == "completed"


async def test_an_error_that_is_no_text_holds_nobody_up(world: MakeWorld) -> None:
    w = await world(Counting)
    w.there.counted = OSError("no file \udcff")  # type: ignore[attr-defined]  # what the step raises
    saga = await w.start(Counting, "1", Counting.State())
    await w.run(1)
    assert (await w.views.show(saga)).saga.reason == "OSError: no file \\udcff"


async def test_a_refused_step_that_had_executed_something_else_is_undone_too(world: MakeWorld) -> None:
    w = await world(Dirty)
    w.there.plan("b.go", "refused")
    await w.start(Dirty, "1", Dirty.State())
    await w.run()
    assert w.there.effects == ["a.go o", "a.back o"]
