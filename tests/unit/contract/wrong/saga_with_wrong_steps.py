#: 20: Checkout.reserve is to be attempted 0 times. Write attempts=1 or more.
#: 20: Checkout.reserve takes nothing instead of state. Write `async def reserve(self, state)`.
#: 20: Checkout.reserve: the timeout cannot be understood: "soon" is not a duration: write "150ms", "10s", "5m", "2h", "1d" or "1h30m". Write timeout="5s", for example.
#: 22: Checkout.charge is not async. Write `async def charge(self, state)`.
#: 22: Checkout.charge is the pivot, and runs in parallel with others. Let the pivot run alone: before it everything can be undone, after it nothing.
#: 26: Checkout.cooled waits until "at", which is not a datetime. Declare `at: datetime`.
#: 30: Checkout.later waits until "moment", which is no field of Checkout.State. Its fields are at.
#: 34: Checkout.never waits for nothing. Write exactly one: @wait(SomeEvent), @wait(delay="10m") or @wait(until="field_of_state").
"""A step takes the state, and is async."""

from __future__ import annotations
from ramet import Contract, Saga, Struct, step, wait


class Checkout(Saga):
    class State(Struct):
        at: str

    @step(timeout="soon", attempts=0)
    async def reserve(self) -> State: ...
    @step(parallel="pay", pivot=True)
    def charge(self, state: State) -> State:
        return state

    @wait(until="at")
    async def cooled(self, state: State) -> State:
        return state

    @wait(until="moment")
    async def later(self, state: State) -> State:
        return state

    @wait()
    async def never(self, state: State) -> State:
        return state


class Orders(Contract, version="1.0.0"): ...


class OrdersService(Orders, sagas=(Checkout,)): ...
