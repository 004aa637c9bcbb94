"""Carriers, rates, shipments and tracking."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from sqlalchemy import insert, select, update

from ramet import Clock, Database, Settings, every
from shop.shipping.carriers import CARRIERS
from shop.shipping.contract import ParcelMoved, ParcelStatus, Shipment, Shipping
from shop.shipping.tables import metadata, shipments

NEXT: dict[str, ParcelStatus] = {"booked": "collected", "collected": "in transit", "in transit": "delivered"}


class ShippingSettings(Settings):
    leg: timedelta = timedelta(hours=8)
    """How long a parcel takes from one status to the next."""


class ShippingService(Shipping, tables=metadata):
    db: Database
    settings: ShippingSettings
    clock: Clock

    async def rates(self, country, grams):
        return tuple(carrier.rate(grams) for carrier in CARRIERS if carrier.goes_to(country))

    async def ship(self, order_id, carrier, ship_to):
        if not any(each.name == carrier and each.goes_to(ship_to.country) for each in CARRIERS):
            raise self.NoCarrier(carrier=carrier, country=ship_to.country)
        tracking = f"{carrier[0]}{self.clock.bits(40):012d}"
        shipment = Shipment(order_id=order_id, carrier=carrier, tracking=tracking, status="booked")
        row = {**msgspec.structs.asdict(shipment), "ship_to": msgspec.to_builtins(ship_to)}
        await self.db.execute(insert(shipments).values(**row, moves_at=self.clock.now() + self.settings.leg))
        return shipment

    async def shipment(self, order_id):
        found = await self.db.execute(select(shipments).where(shipments.c.order_id == order_id))
        if (row := found.first()) is None:
            raise self.NoSuchShipment(order_id=order_id)
        return msgspec.convert(row, Shipment, from_attributes=True)

    @every("5s")
    async def move(self) -> None:
        """The carriers report where their parcels are."""
        due = select(shipments).where(shipments.c.moves_at < self.clock.now()).limit(100)
        for parcel in await self.db.execute(due):
            status = NEXT[parcel.status]
            moves_at = self.clock.now() + self.settings.leg if status in NEXT else None
            this = shipments.c.order_id == parcel.order_id
            await self.db.execute(update(shipments).where(this).values(status=status, moves_at=moves_at))
            await self.publish(ParcelMoved(order_id=parcel.order_id, tracking=parcel.tracking, status=status))
