"""Notifications alone, with a sender of the test's own."""

from __future__ import annotations

from typing import ClassVar

from ramet.testing import running
from shop.notifications.contract import Notifications, Sent
from shop.notifications.senders import Sender
from shop.notifications.service import NotificationsService
from shop.orders.contract import OrderConfirmed
from shop.users.contract import Profile, ProfileChanged

CONFIRMED = OrderConfirmed(order_id="1", customer_id="ann", total_cents=1200, tracking="T1")
PROFILE = Profile(
    id="ann", email="ann@example.org", name="Ann", phone="+41 61 555", channels=frozenset({"sms", "push"})
)


class Memory(Sender):
    sent: ClassVar[list[Sent]] = []

    async def send(self, message: Sent) -> None:
        self.sent.append(message)


async def test_a_customer_hears_in_the_ways_of_the_profile_even_if_that_arrives_late() -> None:
    memory = f"{__name__}:Memory"
    settings = {"notifications": {"sms": memory, "push": memory}}
    async with running(NotificationsService, settings=settings) as alone:
        await alone.publish(CONFIRMED)
        await alone.publish(ProfileChanged(customer_id="ann", profile=PROFILE))

        sent = await alone.eventually(lambda: alone.client(Notifications).sent("ann"))

        assert {(message.channel, message.recipient) for message in sent} == {("sms", "+41 61 555"), ("push", "ann")}
        assert sorted(message.id for message in Memory.sent) == ["1-confirmed-push", "1-confirmed-sms"]
