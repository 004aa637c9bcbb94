#: 9: The saga Checkout is listed by OrdersService and StockService. Let one service start it.
#: 26: StockService lists Orders as a saga. Declare `class Orders(Saga)`.
"""A saga is started by one service."""

from __future__ import annotations
from ramet import Contract, Saga, Struct, step


class Checkout(Saga):
    class State(Struct): ...

    @step
    async def reserve(self, state: State) -> State:
        return state


class Orders(Contract, version="1.0.0"): ...


class OrdersService(Orders, sagas=(Checkout, Checkout)): ...


class Stock(Contract, version="1.0.0"): ...


class StockService(Stock, sagas=(Checkout, Orders)): ...
