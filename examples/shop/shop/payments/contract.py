"""What the other services may know of payments."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ramet import Contract, Event, Refusal, Struct, command, query


class BillingEntry(Struct):
    id: int
    order_id: str
    kind: Literal["authorised", "captured", "refunded"]
    amount_cents: int
    billed_to: str
    at: datetime


class PaymentCaptured(Event, key="order_id"):
    order_id: str
    customer_id: str
    amount_cents: int


class PaymentRefunded(Event, key="order_id"):
    order_id: str
    customer_id: str
    amount_cents: int


class Payments(Contract, version="1.0.0"):
    """Charges cards, once for each order, and keeps the billing history."""

    class Declined(Refusal, status=402):
        """The card was declined: {reason}."""

        reason: str

    @command(refuses=Declined)
    async def authorise(self, order_id: str, customer_id: str, amount_cents: int, card: str) -> None:
        """Have the amount set aside for an order."""
        ...

    @command
    async def capture(self, order_id: str) -> None:
        """Take what was set aside."""
        ...

    @command
    async def refund(self, order_id: str) -> None:
        """Give back what was set aside or taken for an order; nothing, when there was nothing."""
        ...

    @query
    async def billing(self, customer_id: str, before: int | None = None, limit: int = 50) -> tuple[BillingEntry, ...]:
        """The customer's billing history, the newest first, beginning with those `before` one."""
        ...
