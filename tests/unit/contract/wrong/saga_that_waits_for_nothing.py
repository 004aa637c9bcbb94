#: 19: Checkout.settled matches the field "id", which Settled does not have. Its fields are order_id.
#: 19: Checkout.settled waits for Settled, which no contract publishes. Name it in its contract, `class …(Contract, publishes=(Settled,))`, and list that service.
#: 23: Checkout.again waits for Settled, which has no key. Say which field equals the saga's key: @wait(Settled, match="order_id"), for example.
#: 23: Checkout.again waits for Settled, which no contract publishes. Name it in its contract, `class …(Contract, publishes=(Settled,))`, and list that service.
"""An event that is waited for is published, and has the field that names the saga."""

from __future__ import annotations
from ramet import Contract, Event, Saga, Struct, step, wait


class Settled(Event):
    order_id: str


class Checkout(Saga):
    class State(Struct): ...

    @wait(Settled, match="id")
    async def settled(self, state: State, event: Settled) -> State:
        return state

    @wait(Settled)
    async def again(self, state: State, event: Settled) -> State:
        return state


class Orders(Contract, version="1.0.0", publishes=()): ...


class OrdersService(Orders, sagas=(Checkout,)): ...
