"""What the other services may know of orders."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ramet import Contract, Event, Refusal, Struct, command, query
from shop.inventory.contract import Line
from shop.users.contract import Address

Status = Literal["placed", "cancelling", "accepted", "confirmed", "cancelled"]


class CartLine(Line):
    """One product in a cart or an order, as it was when it was ordered."""

    name: str
    price_cents: int
    grams: int


class Cart(Struct):
    lines: tuple[CartLine, ...]
    total_cents: int


class NewOrder(Struct):
    card: str
    """The card network's token of a card; never a number."""
    carrier: str | None = None
    """The cheapest, unless named."""
    ship_to: Address | None = None
    """The customer's address, unless given."""


class Happening(Struct):
    at: datetime
    what: str


class Order(Struct):
    id: str
    customer_id: str
    status: Status
    lines: tuple[CartLine, ...]
    shipping_cents: int
    total_cents: int
    carrier: str
    ship_to: Address
    placed_at: datetime
    reason: str | None = None
    """Why it was cancelled."""
    tracking: str | None = None
    history: tuple[Happening, ...] = ()


class OrderPlaced(Event, key="order_id"):
    order_id: str
    customer_id: str
    total_cents: int


class OrderConfirmed(Event, key="order_id"):
    order_id: str
    customer_id: str
    total_cents: int
    tracking: str


class OrderCancelled(Event, key="order_id"):
    order_id: str
    customer_id: str
    reason: str
    """A sentence for the customer."""


class Orders(Contract, version="1.0.0"):
    """Takes orders from the cart to the customer's door."""

    class EmptyCart(Refusal):
        """There is nothing in the cart."""

    class NoAddress(Refusal):
        """There is no address to ship to: give one, or put one into the profile."""

    class NotShipped(Refusal):
        """{carrier} does not ship to {country}."""

        carrier: str
        country: str

    class NoSuchProduct(Refusal, status=404):
        """There is no product {sku}."""

        sku: str

    class NoSuchOrder(Refusal, status=404):
        """There is no order {order_id} of this customer."""

        order_id: str

    class TooLate(Refusal):
        """The order {order_id} is {state}: it can be cancelled only for a short while after it was placed."""

        order_id: str
        state: Status

    class Withdrawn(Refusal):
        """The customer has cancelled the order."""

        order_id: str

    @query
    async def cart(self, customer_id: str) -> Cart: ...

    @command(refuses=NoSuchProduct)
    async def put_in_cart(self, customer_id: str, sku: str, quantity: int) -> None:
        """Have that many of a product in the cart; zero takes it out."""
        ...

    @command(refuses=(EmptyCart, NoAddress, NotShipped))
    async def place(self, customer_id: str, order: NewOrder) -> Order:
        """Order what is in the cart; payment and shipment follow in the background."""
        ...

    @query(refuses=NoSuchOrder)
    async def order(self, customer_id: str, order_id: str) -> Order: ...

    @query
    async def orders(self, customer_id: str, before: str | None = None, limit: int = 50) -> tuple[Order, ...]:
        """The customer's orders without their histories, the newest first, beginning with those `before` one."""
        ...

    @command(refuses=(NoSuchOrder, TooLate))
    async def cancel(self, customer_id: str, order_id: str) -> None:
        """Ask for an order to be cancelled; the customer hears when that is done."""
        ...

    @command(refuses=Withdrawn)
    async def accept(self, order_id: str) -> None:
        """From here on the customer cannot cancel any more."""
        ...

    @command
    async def confirm(self, order_id: str, tracking: str) -> None:
        """The order is paid and shipped."""
        ...

    @command
    async def reject(self, order_id: str, reason: str) -> None:
        """The order comes to nothing."""
        ...
