"""What happens after an order was placed."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from ramet import Saga, Struct, step, wait
from shop.inventory.contract import Inventory
from shop.orders.contract import Order, Orders
from shop.payments.contract import Payments
from shop.shipping.contract import Shipping


class Checkout(Saga):
    """Reserve, charge, ship, confirm; undone in reverse order when a step is refused."""

    class State(Struct):
        order: Order
        card: str
        cancellable_until: datetime
        tracking: str = ""

    orders: Orders
    inventory: Inventory
    payments: Payments
    shipping: Shipping

    @step
    async def begin(self, state: State) -> State:
        """Nothing to do; but whatever goes wrong from here on, the order is closed last."""
        return state

    @begin.undo
    async def close(self, state: State, reason: str) -> None:
        await self.orders.reject(state.order.id, reason)

    @step
    async def reserve(self, state: State) -> State:
        await self.inventory.reserve(state.order.id, state.order.lines)
        return state

    @reserve.undo
    async def release(self, state: State) -> None:
        await self.inventory.release(state.order.id)

    @step(timeout="10s")
    async def charge(self, state: State) -> State:
        order = state.order
        await self.payments.authorise(order.id, order.customer_id, order.total_cents, state.card)
        return state

    @charge.undo
    async def refund(self, state: State) -> None:
        await self.payments.refund(state.order.id)

    @wait(until="cancellable_until")
    async def let_the_customer_think(self, state: State) -> State:
        return state

    @step
    async def accept(self, state: State) -> State:
        await self.orders.accept(state.order.id)
        return state

    @step
    async def sell(self, state: State) -> State:
        """Refused when the reservation has expired; undone by `release`."""
        await self.inventory.sell(state.order.id)
        return state

    @step(pivot=True)
    async def ship(self, state: State) -> State:
        shipment = await self.shipping.ship(state.order.id, state.order.carrier, state.order.ship_to)
        return replace(state, tracking=shipment.tracking)

    @step(timeout="10s")
    async def capture(self, state: State) -> State:
        await self.payments.capture(state.order.id)
        return state

    @step
    async def confirm(self, state: State) -> State:
        await self.orders.confirm(state.order.id, state.tracking)
        return state
