"""What the other services may know of the inventory."""

from __future__ import annotations

from ramet import Contract, Event, Refusal, Struct, command, query


class Line(Struct):
    sku: str
    quantity: int


class ReservationExpired(Event, key="order_id"):
    """Nobody bought what was reserved for an order: it is for sale again."""

    order_id: str


class Inventory(Contract, version="1.0.0"):
    """Keeps stock levels and reservations."""

    class OutOfStock(Refusal):
        """There are not enough of {sku}."""

        sku: str

    class NotReserved(Refusal):
        """Nothing is reserved for the order {order_id}, or not any more."""

        order_id: str

    @query
    async def stock(self, sku: str) -> int:
        """How many can be bought."""
        ...

    @command
    async def receive(self, lines: tuple[Line, ...]) -> None:
        """Goods have arrived."""
        ...

    @command(refuses=OutOfStock)
    async def reserve(self, order_id: str, lines: tuple[Line, ...]) -> None:
        """Set aside what an order needs, all of it or nothing, for a while."""
        ...

    @command(refuses=NotReserved)
    async def sell(self, order_id: str) -> None:
        """What was reserved for an order is sold."""
        ...

    @command
    async def release(self, order_id: str) -> None:
        """Put back what was reserved for an order, or sold to it; nothing, when there was nothing."""
        ...
