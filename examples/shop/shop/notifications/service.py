"""E-mail, SMS and push messages, in the ways that customers prefer."""

from __future__ import annotations

from typing import get_args

import msgspec
from sqlalchemy import delete, insert, select

from ramet import Database, Unavailable, on
from shop.notifications.contract import Notifications, Sent
from shop.notifications.senders import NotificationsSettings, sender
from shop.notifications.tables import customers, messages, metadata
from shop.orders.contract import OrderCancelled, OrderConfirmed
from shop.payments.contract import PaymentRefunded
from shop.users.contract import Channel, ProfileChanged


class NotificationsService(Notifications, tables=metadata):
    db: Database
    settings: NotificationsSettings

    async def startup(self) -> None:
        self._senders = {channel: sender(channel, self.settings) for channel in get_args(Channel)}

    async def sent(self, customer_id):
        found = select(messages).where(messages.c.customer_id == customer_id).order_by(messages.c.number)
        return msgspec.convert((await self.db.execute(found)).all(), tuple[Sent, ...], from_attributes=True)

    @on(OrderConfirmed)
    async def confirmed(self, event: OrderConfirmed) -> None:
        text = f"Thank you! {_money(event.total_cents)} are paid, and your parcel is on its way: {event.tracking}."
        await self._tell(event.customer_id, f"{event.order_id}-confirmed", text)

    @on(OrderCancelled)
    async def cancelled(self, event: OrderCancelled) -> None:
        await self._tell(event.customer_id, f"{event.order_id}-cancelled", f"Your order is cancelled. {event.reason}")

    @on(PaymentRefunded)
    async def refunded(self, event: PaymentRefunded) -> None:
        text = f"You do not pay the {_money(event.amount_cents)}, or get them back."
        await self._tell(event.customer_id, f"{event.order_id}-refunded", text)

    @on(ProfileChanged, start="retained")
    async def remember(self, event: ProfileChanged) -> None:
        known = msgspec.to_builtins(event.profile)
        await self.db.execute(delete(customers).where(customers.c.id == event.customer_id))
        row = {name: known[name] for name in ("id", "email", "phone", "channels")}
        await self.db.execute(insert(customers).values(row))

    async def _tell(self, customer_id: str, what: str, text: str) -> None:
        """Send first, write then: no transaction is open while a sender works."""
        customer = (await self.db.execute(select(customers).where(customers.c.id == customer_id))).first()
        if customer is None:
            raise Unavailable(f"The profile of {customer_id} has not arrived yet; the event will come again.")
        recipients = {"email": customer.email, "sms": customer.phone, "push": customer_id}
        told = [
            Sent(id=f"{what}-{channel}", customer_id=customer_id, channel=channel, recipient=recipient, text=text)
            for channel in customer.channels
            if (recipient := recipients[channel])
        ]
        for message in told:
            await self._senders[message.channel].send(message)
            self.log.info("%s to %s: %s", message.channel, message.recipient, message.text)
        if told:
            await self.db.execute(insert(messages), msgspec.to_builtins(told))


def _money(cents: int) -> str:
    return f"{cents / 100:.2f} EUR"
