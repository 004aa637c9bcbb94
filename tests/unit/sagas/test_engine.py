"""What a saga does when all goes well, how it starts, and what operators can do."""

from __future__ import annotations

import pytest

from ramet.contract.saga import Saga, step
from ramet.contract.struct import Struct
from ramet.errors import NotFound, UsageError
from ramet.sagas.journal import ENDED_KEPT_SECONDS
from ramet.storage.work import transact
from ramet.telemetry.context import Context, current_context
from ramet.telemetry.scope import Scope, Work, current_scope
from tests.unit.sagas.conftest import MakeWorld
from tests.unit.sagas.examples import ALL, Checkout


async def test_a_saga_does_its_steps_in_order_and_remembers_each(world: MakeWorld) -> None:
    w = await world(Checkout)
    saga = await w.start(Checkout, "1", Checkout.State())
    await w.run()
    assert w.there.effects == ALL
    assert await w.status(saga) == "completed"
    assert await w.kinds(saga) == ["did reserve", "did charge", "did ship", "did tell"]
    assert (await w.views.show(saga)).state == {"order": "o", "reserved": True, "charged": True}
    assert w.engine.idle


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
            await w.engine.begin(scope.unit, Checkout, key="1", state=Checkout.State(), context=context)  # type: ignore[arg-type]  # the scope knows its unit as an object
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


async def test_a_step_sees_the_context_the_saga_was_started_in(world: MakeWorld) -> None:
    seen: list[Context] = []

    class Curious(Saga):
        class State(Struct):
            pass

        @step(timeout="3s")
        async def look(self, state: State) -> State:
            context, scope = current_context.get(), current_scope.get()
            assert context is not None
            assert scope is not None
            assert (scope.service, scope.work, scope.name) == ("orders", Work.STEP, "Curious.look")
            seen.append(context)
            return state

    w = await world(Curious)
    saga = await w.start(Curious, "1", Curious.State())
    await w.run()
    (context,) = seen
    assert (context.trace, context.tenant, context.baggage) == ("trace", "acme", {"a": "b"})
    assert (context.execution, context.deadline) == (f"{saga}/look/do", w.clock.monotonic() + 3)


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
        "refused ship",
        "undid charge",
        "undid reserve",
        "ended",
    ]


async def test_what_has_ended_is_forgotten_after_thirty_days(world: MakeWorld) -> None:
    w = await world(Checkout)
    saga = await w.start(Checkout, "1", Checkout.State())
    await w.run(ENDED_KEPT_SECONDS - 7200)
    assert await w.start(Checkout, "1", Checkout.State()) == saga
    await w.run(3 * 3600)
    assert await w.views.sagas() == ()
    assert await w.storage.fetch("SELECT * FROM ramet_saga_log") == []
    assert await w.start(Checkout, "1", Checkout.State()) != saga
    await w.run(1)
    assert len(w.there.effects) == 2 * len(ALL)
