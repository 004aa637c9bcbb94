"""Payments against a card network on its worst day."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from ramet.testing import RunningApplication, running
from shop.payments.contract import PaymentCaptured, PaymentRefunded, Payments
from shop.payments.service import PaymentsService


@pytest.fixture
async def alone() -> AsyncIterator[RunningApplication]:
    async with running(PaymentsService, settings={"payments": {"lost_reply_rate": 1.0}}) as alone:
        yield alone


@pytest.fixture
def payments(alone: RunningApplication) -> Payments:
    return alone.client(Payments)


async def test_an_order_is_charged_once_however_many_replies_are_lost(
    alone: RunningApplication, payments: Payments
) -> None:
    await payments.authorise("order", "ann", 1200, "tok_good")
    await payments.capture("order")
    await payments.capture("order")

    assert await alone.published(PaymentCaptured) == [
        PaymentCaptured(order_id="order", customer_id="ann", amount_cents=1200)
    ]
    assert [entry.kind for entry in await payments.billing("ann")] == ["captured", "authorised"]


async def test_a_declined_card_is_refused_and_billed_to_nobody(payments: Payments) -> None:
    with pytest.raises(Payments.Declined) as declined:
        await payments.authorise("order", "ann", 1200, "tok_stolen")

    assert declined.value.reason == "reported as stolen"
    assert await payments.billing("ann") == ()


async def test_what_was_charged_is_given_back_once(alone: RunningApplication, payments: Payments) -> None:
    await payments.authorise("order", "ann", 1200, "tok_good")
    await payments.refund("order")
    await payments.refund("order")

    assert len(await alone.published(PaymentRefunded)) == 1


async def test_a_charge_that_comes_after_its_refund_is_declined(payments: Payments) -> None:
    await payments.refund("order")

    with pytest.raises(Payments.Declined):
        await payments.authorise("order", "ann", 1200, "tok_good")
