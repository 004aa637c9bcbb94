"""The inventory alone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from ramet.testing import RunningApplication, VirtualClock, running
from shop.inventory.contract import Inventory, Line, ReservationExpired
from shop.inventory.service import InventoryService

TWO = (Line(sku="tea", quantity=2),)


@pytest.fixture
async def alone() -> AsyncIterator[RunningApplication]:
    async with running(InventoryService, clock=VirtualClock()) as alone:
        await alone.client(Inventory).receive((Line(sku="tea", quantity=3),))
        yield alone


@pytest.fixture
def inventory(alone: RunningApplication) -> Inventory:
    return alone.client(Inventory)


async def test_what_is_reserved_cannot_be_reserved_again(inventory: Inventory) -> None:
    await inventory.reserve("order 1", TWO)

    with pytest.raises(Inventory.OutOfStock) as refused:
        await inventory.reserve("order 2", TWO)

    assert refused.value.sku == "tea"
    assert await inventory.stock("tea") == 1


async def test_all_of_an_order_is_reserved_or_nothing(inventory: Inventory) -> None:
    with pytest.raises(Inventory.OutOfStock):
        await inventory.reserve("order", (*TWO, Line(sku="coffee", quantity=1)))

    assert await inventory.stock("tea") == 3


async def test_what_is_released_can_be_bought_again(inventory: Inventory) -> None:
    await inventory.reserve("order", TWO)
    await inventory.sell("order")

    await inventory.release("order")
    await inventory.release("order")

    assert await inventory.stock("tea") == 3


async def test_a_reservation_expires(alone: RunningApplication, inventory: Inventory) -> None:
    await inventory.reserve("order", TWO)

    await alone.advance("16m")

    assert await alone.published(ReservationExpired) == [ReservationExpired(order_id="order")]
    assert await inventory.stock("tea") == 3
    with pytest.raises(Inventory.NotReserved):
        await inventory.sell("order")
