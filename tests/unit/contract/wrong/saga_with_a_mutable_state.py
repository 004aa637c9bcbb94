#: 10: Checkout.State.skus: list[str] is mutable, so caller and callee could change it under each other's hands. Use tuple[str, ...].
"""A state is kept and must not change under the saga's hands."""

from __future__ import annotations
from ramet import Contract, Saga, Struct, step


class Checkout(Saga):
    class State(Struct):
        skus: list[str]

    @step
    async def reserve(self, state: State) -> State:
        return state


class Orders(Contract, version="1.0.0"): ...


class OrdersService(Orders, sagas=(Checkout,)): ...
