#: 17: Checkout has 2 pivots: charge and ship. Keep the first step that cannot be undone.
#: 21: Checkout.fetch undoes ship, which comes after the pivot charge. Remove it: after the pivot a saga only goes forward.
"""There is one point of no return, and nothing is undone behind it."""

from __future__ import annotations
from ramet import Contract, Saga, Struct, step


class Checkout(Saga):
    class State(Struct): ...

    @step(pivot=True)
    async def charge(self, state: State) -> State:
        return state

    @step(pivot=True)
    async def ship(self, state: State) -> State:
        return state

    @ship.undo
    async def fetch(self, state: State) -> None: ...


class Orders(Contract, version="1.0.0"): ...


class OrdersService(Orders, sagas=(Checkout,)): ...
