"""Whatever happens to participants, process and operators: afterwards the books of every saga are right."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ramet.contract.saga import Saga, step, wait
from ramet.contract.struct import Event, Struct
from ramet.errors import UsageError
from ramet.sagas.progress import ENDED, Status
from tests.unit.sagas.world import Participant, World


class Approved(Event, key="order"):
    order: str


class Order(Saga):
    """Two in parallel, a wait, the pivot, one after it."""

    there: Participant

    class State(Struct):
        order: str
        stock: bool = False
        slot: bool = False

    @step(attempts=3, timeout="1s", parallel="hold")
    async def reserve(self, state: State) -> State:
        await self.there.call("stock.reserve", state.order)
        return Order.State(order=state.order, stock=True, slot=state.slot)

    @reserve.undo
    async def release(self, state: State) -> None:
        await self.there.call("stock.release", state.order)

    @step(attempts=2, timeout="1s", parallel="hold")
    async def book(self, state: State) -> State:
        await self.there.call("slots.ask", state.order)
        await self.there.call("slots.book", state.order)
        return Order.State(order=state.order, stock=state.stock, slot=True)

    @book.undo
    async def unbook(self, state: State) -> None:
        await self.there.call("slots.free", state.order)

    @wait(Approved, timeout="30s")
    async def approved(self, state: State, event: Approved) -> State:
        return state

    @step(attempts=2, timeout="1s")
    async def charge(self, state: State) -> State:
        await self.there.call("cards.charge", state.order)
        return state

    @charge.undo
    async def refund(self, state: State) -> None:
        await self.there.call("cards.refund", state.order)

    @step(pivot=True, timeout="1s")
    async def ship(self, state: State) -> State:
        await self.there.call("parcels.ship", state.order)
        return state

    @step(timeout="1s")
    async def tell(self, state: State) -> State:
        await self.there.call("mail.tell", state.order)
        return state


PAIRS = {
    "stock.reserve": "stock.release",
    "slots.ask": "slots.free",
    "slots.book": "slots.free",
    "cards.charge": "cards.refund",
}
METHODS = (*PAIRS, *sorted(set(PAIRS.values())), "parcels.ship", "mail.tell")
COMMANDS = tuple(METHODS)
ORDERS = ("1", "2", "3")
FAULTS = st.sampled_from(["refused", "lost", "late", "down", "broken", "hangs", "stuck", "", ""])
ACTIONS = st.one_of(
    st.sampled_from([0.0, 0.05, 0.5, 1.1, 5.0, 40.0]),
    st.sampled_from(["crash", "restart", "deliver"]),
    st.tuples(st.sampled_from(["start", "approve", "cancel", "retry"]), st.sampled_from(ORDERS)),
    st.tuples(st.sampled_from(["start", "approve"]), st.sampled_from(ORDERS)),
)


class Story:
    """A world in which things go wrong, and the end at which everything is put right."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder / "orders.sqlite", Order)
        self.world.commands = COMMANDS
        self.sagas: dict[str, str] = {}

    async def act(self, action: float | str | tuple[str, str]) -> None:
        world = self.world
        if isinstance(action, float):
            await world.run(action)
        elif action == "crash":
            await world.reopen()
        elif action == "restart":
            stopping = world.spawn(world.engine.stop())
            await world.run(11)
            assert stopping.done()
            await world.reopen()
        elif action == "deliver":
            world.there.deliver()
        elif isinstance(action, tuple):
            await self._operate(*action)

    async def _operate(self, what: str, order: str) -> None:
        world = self.world
        if what == "start":
            self.sagas[order] = await world.start(Order, order, Order.State(order=order))
        elif what == "approve":
            await world.publish(Order, Approved(order=order))
        elif order in self.sagas:
            try:
                await (world.engine.cancel if what == "cancel" else world.engine.retry)(self.sagas[order])
            except UsageError:
                pass

    async def finish(self) -> None:
        """Nothing fails any more, and operators retry what is parked."""
        world = self.world
        world.there.faults.clear()
        for _ in range(5):
            await world.run(120)
            for parked in await world.views.sagas(status=Status.PARKED):
                await world.engine.retry(parked.id)
        world.there.deliver()
        for saga in await world.views.sagas():
            assert saga.status in ENDED, saga
            self.check(saga.key, saga.status)
        assert world.errors == []

    def check(self, order: str, status: Status) -> None:
        """Every command was executed at most once; what was done and is to be undone was undone after it."""
        effects = [one.split()[0] for one in self.world.there.effects if one.endswith(f" {order}")]
        for method in METHODS:
            assert effects.count(method) <= 1, (method, effects)
        if status is Status.COMPLETED:
            assert sorted(effects) == sorted([*PAIRS, "parcels.ship", "mail.tell"])
            return
        assert "parcels.ship" not in effects
        for done, undone in PAIRS.items():
            if done in effects:
                assert undone in effects[effects.index(done) :], effects


@pytest.mark.usefixtures("quiet")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    faults=st.dictionaries(st.sampled_from(METHODS), st.lists(FAULTS, max_size=4), max_size=4),
    actions=st.lists(ACTIONS, min_size=3, max_size=14),
)
def test_the_books_are_right_in_the_end(faults: dict[str, list[str]], actions: Sequence[float | str]) -> None:
    async def story() -> None:
        with tempfile.TemporaryDirectory() as folder:
            one = Story(Path(folder))
            for method, planned in faults.items():
                one.world.there.plan(method, *planned)
            await one.world.open()
            await one.act(("start", "1"))
            for action in actions:
                await one.act(action)
            await one.finish()
            await one.world.close()

    asyncio.run(story())
