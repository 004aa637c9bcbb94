"""Sagas that several tests run."""

from __future__ import annotations

from typing import Any

from ramet.contract.saga import Saga, step
from ramet.contract.struct import Struct
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


class Counting(Saga):
    """Counts what it finds there."""

    there: Participant

    class State(Struct):
        count: int = 0

    @step(attempts=2)
    async def count(self, state: State) -> State:
        found: Any = self.there.counted  # type: ignore[attr-defined]  # set by the test
        if isinstance(found, Exception):
            raise found
        return Counting.State(count=found)

    @step(attempts=2)
    async def go_on(self, state: State) -> State:
        return state


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
