#: 8: The saga Checkout belongs to no service. List it where it is started: `class …Service(…, sagas=(Checkout,))`.
"""A saga is started by somebody."""

from __future__ import annotations
from ramet import Contract, Saga, Struct, step


class Checkout(Saga):
    class State(Struct): ...

    @step
    async def reserve(self, state: State) -> State:
        return state


class Orders(Contract, version="1.0.0"): ...


class OrdersService(Orders): ...
