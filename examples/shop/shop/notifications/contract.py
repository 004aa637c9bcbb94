"""What the other services may know of notifications."""

from __future__ import annotations

from ramet import Contract, Struct, query
from shop.users.contract import Channel


class Sent(Struct):
    """One message; `id` is the same however often it was tried."""

    id: str
    customer_id: str
    channel: Channel
    recipient: str
    text: str


class Notifications(Contract, version="1.0.0"):
    """Tells customers what happens to their orders, in the ways they prefer."""

    @query
    async def sent(self, customer_id: str) -> tuple[Sent, ...]:
        """What a customer has been told, the oldest first."""
        ...
