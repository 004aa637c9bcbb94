"""Authorise, capture, refund, billing history."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import msgspec
from sqlalchemy import delete, insert, select, update

from ramet import Clock, Database, Unavailable, on
from shop.payments.cards import CardNetwork, CardSettings, Charge, ReplyLost
from shop.payments.contract import BillingEntry, PaymentCaptured, PaymentRefunded, Payments
from shop.payments.tables import billing, customers, metadata, payments
from shop.users.contract import ProfileChanged


class PaymentsService(Payments, tables=metadata):
    """Every command asks the network first and writes then: no transaction is open while the network thinks."""

    db: Database
    settings: CardSettings
    clock: Clock

    async def startup(self) -> None:
        self._network = CardNetwork(self.settings, self.clock)

    async def shutdown(self) -> None:
        self._network.close()

    async def authorise(self, order_id, customer_id, amount_cents, card):
        charge = await self._certain(self._network.authorise(order_id, card, amount_cents), order_id)
        if charge.status != "authorised":
            raise self.Declined(reason=charge.reason)
        payment = {"order_id": order_id, "customer_id": customer_id, "amount_cents": amount_cents}
        await self.db.execute(insert(payments).values(**payment, status="authorised"))
        await self._bill("authorised", **payment)

    async def capture(self, order_id):
        await self._certain(self._network.capture(order_id), order_id)
        payment = await self._become("captured", order_id, after=("authorised",))
        if payment:
            await self._bill("captured", **payment)
            await self.publish(PaymentCaptured(**payment))

    async def refund(self, order_id):
        await self._certain(self._network.refund(order_id), order_id)
        payment = await self._become("refunded", order_id, after=("authorised", "captured"))
        if payment:
            await self._bill("refunded", **payment)
            await self.publish(PaymentRefunded(**payment))

    async def billing(self, customer_id, before=None, limit=50):
        found = select(billing).where(billing.c.customer_id == customer_id).order_by(billing.c.id.desc()).limit(limit)
        if before is not None:
            found = found.where(billing.c.id < before)
        rows = (await self.db.execute(found)).all()
        return msgspec.convert(rows, tuple[BillingEntry, ...], from_attributes=True)

    @on(ProfileChanged, start="retained")
    async def remember(self, event: ProfileChanged) -> None:
        await self.db.execute(delete(customers).where(customers.c.id == event.customer_id))
        await self.db.execute(insert(customers).values(id=event.customer_id, name=event.profile.name))

    async def _certain(self, answer: Awaitable[Charge], order_id: str) -> Charge:
        """The network's answer; where it was lost, the network is asked what it has done."""
        try:
            return await answer
        except ReplyLost:
            self.log.info("The card network's reply for order %s was lost.", order_id)
        charge = await self._network.find(order_id)
        if charge is None:
            raise Unavailable("The card network has not received the request.")
        return charge

    async def _become(self, status: str, order_id: str, *, after: tuple[str, ...]) -> dict[str, Any] | None:
        theirs = (payments.c.order_id == order_id) & payments.c.status.in_(after)
        changed = update(payments).where(theirs).values(status=status)
        row = (await self.db.execute(changed.returning(payments.c.customer_id, payments.c.amount_cents))).first()
        if row is None:
            return None
        return {"order_id": order_id, "customer_id": row.customer_id, "amount_cents": row.amount_cents}

    async def _bill(self, kind: str, *, order_id: str, customer_id: str, amount_cents: int) -> None:
        name = await self.db.scalar(select(customers.c.name).where(customers.c.id == customer_id))
        payment = {"order_id": order_id, "customer_id": customer_id, "amount_cents": amount_cents}
        row = {**payment, "kind": kind, "billed_to": name or "", "at": self.clock.now()}
        await self.db.execute(insert(billing).values(row))
