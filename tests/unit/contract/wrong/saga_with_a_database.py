#: 12: The saga Checkout asks for a database. Its steps act through commands: let the service that has it do the work.
#: 13: The saga Checkout asks for the clock. Its steps act through commands: let the service that has it do the work.
"""A saga acts through commands."""

from __future__ import annotations
from ramet import Clock, Contract, Database, Saga, Struct, step


class Checkout(Saga):
    class State(Struct): ...

    db: Database
    clock: Clock

    @step
    async def reserve(self, state: State) -> State:
        return state


class Orders(Contract, version="1.0.0"): ...


class OrdersService(Orders, sagas=(Checkout,)):
    db: Database
