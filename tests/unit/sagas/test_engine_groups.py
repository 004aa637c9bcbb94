"""Steps that run in parallel."""

from __future__ import annotations

from ramet.contract.saga import Saga, step
from ramet.contract.struct import Struct
from ramet.sagas.progress import Status
from tests.unit.sagas.conftest import MakeWorld
from tests.unit.sagas.world import Participant


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


async def test_parallel_steps_that_set_one_field_differently_are_an_error_that_names_it(world: MakeWorld) -> None:
    w = await world(Clashing)
    saga = await w.start(Clashing, "1", Clashing.State())
    await w.run(60)
    shown = (await w.views.show(saga)).saga
    assert shown.status is Status.COMPENSATED
    assert shown.reason is not None
    assert shown.reason.startswith('two set "total" of the state')
    assert w.there.effects == ["two.back o"]
