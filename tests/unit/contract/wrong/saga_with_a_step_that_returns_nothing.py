#: 13: Checkout.reserve returns nothing, but a step returns the next state. Return the state as it is now: `-> State`.
"""A step returns the next state; an undo returns nothing."""

from __future__ import annotations
from ramet import Contract, Saga, Struct, step


class Checkout(Saga):
    class State(Struct):
        at: str

    @step
    async def reserve(self, state: State) -> None: ...
    @reserve.undo
    async def release(self, state: State) -> None: ...


class Orders(Contract, version="1.0.0"): ...


class OrdersService(Orders, sagas=(Checkout,)): ...
