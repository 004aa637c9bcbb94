"""The whole shop in one process, on virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ramet.testing import RunningApplication, VirtualClock, running
from shop.catalog.contract import Catalog, Product
from shop.inventory.contract import Inventory, Line
from shop.notifications.contract import Notifications
from shop.orders.contract import NewOrder, Order, OrderCancelled, OrderConfirmed, Orders
from shop.users.contract import Address, Users

FOLDER = Path(__file__).parent.parent
TEA = Product(sku="tea", name="Green tea", description="", category="kitchen", price_cents=500, grams=100)
HOME = Address(street="Gerbergasse 1", city="Basel", country="CH")


@pytest.fixture
async def shop(placement, settings) -> AsyncIterator[RunningApplication]:
    async with running(FOLDER, clock=VirtualClock(), placement=placement, settings=settings) as shop:
        await shop.client(Catalog).add((TEA,))
        await shop.client(Inventory).receive((Line(sku="tea", quantity=10),))
        yield shop


async def order(shop: RunningApplication, card: str = "tok_good") -> Order:
    """Ann registers, and orders two packets of tea."""
    ann = await shop.client(Users).register("ann@example.org", "correct horse", "Ann")
    await shop.client(Orders).put_in_cart(ann.id, "tea", 2)
    return await shop.client(Orders).place(ann.id, NewOrder(card=card, ship_to=HOME))


async def test_an_order_is_confirmed_and_the_customer_told(shop: RunningApplication) -> None:
    placed = await order(shop)
    assert placed.status == "placed"

    (confirmed,) = await shop.eventually(lambda: shop.published(OrderConfirmed), within="2m")

    assert confirmed.order_id == placed.id
    assert await shop.client(Inventory).stock("tea") == 8
    (message,) = await shop.eventually(lambda: shop.client(Notifications).sent(placed.customer_id))
    assert confirmed.tracking in message.text


async def test_a_declined_card_cancels_the_order_and_puts_the_goods_back(shop: RunningApplication) -> None:
    placed = await order(shop, card="tok_empty")

    (cancelled,) = await shop.eventually(lambda: shop.published(OrderCancelled))

    assert cancelled.reason == "The card was declined: insufficient funds."
    assert await shop.client(Inventory).stock("tea") == 10
    (message,) = await shop.eventually(lambda: shop.client(Notifications).sent(placed.customer_id))
    assert "insufficient funds" in message.text
