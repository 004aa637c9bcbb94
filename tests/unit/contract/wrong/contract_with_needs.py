#: 20: The contract Stock has sagas, which are private to a service. Move `sagas=…` to the class line of the service.
#: 22: The contract Stock asks for db, but only a service is given anything. Move the annotation to the service.
"""A contract is given nothing, and keeps nothing."""

from __future__ import annotations
from ramet import Contract, Database, Saga, Struct, step


class Refill(Saga):
    class State(Struct): ...

    @step
    async def order(self, state: State) -> State:
        return state


class Stock(
    Contract,
    version="1.0.0",
    sagas=(Refill,),
):
    db: Database


class StockService(Stock, sagas=(Refill,)): ...
