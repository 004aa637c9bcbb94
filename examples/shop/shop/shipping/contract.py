"""What the other services may know of shipping."""

from __future__ import annotations

from typing import Literal

from ramet import Contract, Event, Refusal, Struct, command, query
from shop.users.contract import Address

ParcelStatus = Literal["booked", "collected", "in transit", "delivered"]


class Rate(Struct):
    carrier: str
    cents: int
    days: int


class Shipment(Struct):
    order_id: str
    carrier: str
    tracking: str
    status: ParcelStatus


class ParcelMoved(Event, key="order_id"):
    order_id: str
    tracking: str
    status: ParcelStatus


class Shipping(Contract, version="1.0.0"):
    """Knows carriers and their rates, sends parcels and follows them."""

    class NoCarrier(Refusal):
        """{carrier} does not ship to {country}."""

        carrier: str
        country: str

    class NoSuchShipment(Refusal, status=404):
        """Nothing was shipped for the order {order_id}."""

        order_id: str

    @query
    async def rates(self, country: str, grams: int) -> tuple[Rate, ...]:
        """What each carrier that goes there asks for a parcel of that weight."""
        ...

    @command(refuses=NoCarrier)
    async def ship(self, order_id: str, carrier: str, ship_to: Address) -> Shipment: ...

    @query(refuses=NoSuchShipment)
    async def shipment(self, order_id: str) -> Shipment: ...
