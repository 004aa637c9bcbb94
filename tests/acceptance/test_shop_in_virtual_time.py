"""Stories of the shop that take long, in virtual time: an hour passes at once, on embedded engines alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ramet.testing import RunningApplication
from shop.inventory.contract import Inventory, Line, ReservationExpired
from shop.orders.contract import OrderCancelled
from shop.payments.contract import PaymentRefunded
from shop.shipping.contract import ParcelMoved
from tests.acceptance.customer import Customer
from tests.acceptance.worlds import VIRTUAL


@pytest.fixture(params=VIRTUAL, ids=str)
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RunningApplication]:
    async with request.param.shop(str, tmp_path) as shop:
        yield shop


@pytest.fixture
async def ann(shop: RunningApplication) -> Customer:
    return await Customer(shop, 7).sign_up("Ann")


async def test_a_customer_may_cancel_for_nearly_a_minute(shop: RunningApplication, ann: Customer) -> None:
    placed = await ann.order()
    await shop.advance("50s")

    cancelling = await ann.ask("POST", f"/orders/{placed['id']}/cancellation", status=202)
    assert cancelling["status"] == "cancelling"
    await shop.eventually(lambda: ann.heard(OrderCancelled), within="2m")

    assert [event.order_id for event in await ann.heard(PaymentRefunded)] == [placed["id"]]
    assert await ann.in_stock() == 10


async def test_a_parcel_is_followed_to_the_door(shop: RunningApplication, ann: Customer) -> None:
    placed = await ann.order()

    await shop.advance("3m")

    order = await ann.ask("GET", f"/orders/{placed['id']}")
    assert [move.status for move in await ann.heard(ParcelMoved)] == ["collected", "in transit", "delivered"]
    assert [happening["what"] for happening in order["history"]] == [
        "Placed.",
        "Paid, and handed over for shipment.",
        "The parcel is collected.",
        "The parcel is in transit.",
        "The parcel is delivered.",
    ]


async def test_a_forgotten_reservation_expires(shop: RunningApplication) -> None:
    inventory = shop.client(Inventory)
    await inventory.reserve("forgotten", (Line(sku="tea-07", quantity=3),))

    await shop.advance("16m")

    assert [event.order_id for event in await shop.published(ReservationExpired)] == ["forgotten"]
    assert await inventory.stock("tea-07") == 10
