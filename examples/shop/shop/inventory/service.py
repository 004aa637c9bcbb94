"""Stock levels, and reservations that expire."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import insert, select, update

from ramet import Clock, Database, Settings, every
from shop.inventory.contract import Inventory, ReservationExpired
from shop.inventory.tables import metadata, reservations, stock


class InventorySettings(Settings):
    hold: timedelta = timedelta(minutes=15)
    """How long a reservation lasts."""


class InventoryService(Inventory, tables=metadata):
    db: Database
    settings: InventorySettings
    clock: Clock

    async def stock(self, sku):
        return await self.db.scalar(select(stock.c.available).where(stock.c.sku == sku)) or 0

    async def receive(self, lines):
        for line in lines:
            known = await self._move(line.sku, received=line.quantity, available=line.quantity)
            if not known:
                amounts = {"available": line.quantity, "received": line.quantity, "reserved": 0, "sold": 0}
                await self.db.execute(insert(stock).values(sku=line.sku, **amounts))

    async def reserve(self, order_id, lines):
        expires_at = self.clock.now() + self.settings.hold
        for line in lines:
            if not await self._move(line.sku, available=-line.quantity, reserved=+line.quantity):
                raise self.OutOfStock(sku=line.sku)
            row = {"order_id": order_id, "sku": line.sku, "quantity": line.quantity}
            await self.db.execute(insert(reservations).values(**row, status="reserved", expires_at=expires_at))

    async def sell(self, order_id):
        lines = await self._become("sold", order_id, "reserved")
        if not lines:
            raise self.NotReserved(order_id=order_id)
        for line in lines:
            await self._move(line.sku, reserved=-line.quantity, sold=+line.quantity)

    async def release(self, order_id):
        for status in ("reserved", "sold"):
            for line in await self._become("released", order_id, status):
                await self._move(line.sku, **{status: -line.quantity}, available=+line.quantity)

    @every("10s")
    async def expire(self) -> None:
        due = (reservations.c.status == "reserved") & (reservations.c.expires_at < self.clock.now())
        for order_id in await self.db.scalars(select(reservations.c.order_id).where(due).distinct().limit(100)):
            await self.release(order_id)
            await self.publish(ReservationExpired(order_id=order_id))

    async def _become(self, status: str, order_id: str, before: str):
        """Change the status of an order's reservations, and tell which they were."""
        theirs = (reservations.c.order_id == order_id) & (reservations.c.status == before)
        changed = update(reservations).where(theirs).values(status=status)
        return (await self.db.execute(changed.returning(reservations.c.sku, reservations.c.quantity))).all()

    async def _move(self, sku: str, **amounts: int) -> bool:
        """Add to the columns of a product; False when it is not there, or would owe some."""
        values = {stock.c[name]: stock.c[name] + amount for name, amount in amounts.items()}
        enough = [value >= 0 for value in values.values()]
        moved = await self.db.execute(update(stock).where(stock.c.sku == sku, *enough).values(values))
        return moved.rowcount > 0
