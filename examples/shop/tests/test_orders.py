"""Orders alone: its neighbours are fakes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from ramet.testing import RunningApplication, VirtualClock, running
from shop.catalog.contract import Catalog, Product
from shop.inventory.contract import Inventory
from shop.orders.contract import NewOrder, OrderCancelled, OrderConfirmed, Orders
from shop.orders.service import OrdersService
from shop.payments.contract import Payments
from shop.shipping.contract import Rate, Shipment, Shipping
from shop.users.contract import Address, Profile, ProfileChanged

HOME = Address(street="Gerbergasse 1", city="Basel", country="CH")
ORDER = NewOrder(card="tok", ship_to=HOME)


class FakeCatalog(Catalog):
    async def products(self, skus):
        known = Product(sku="tea", name="Tea", description="", category="", price_cents=500, grams=100)
        return tuple(known for sku in skus if sku == "tea")

    async def product(self, sku): ...
    async def search(self, text="", category=None, after=None, limit=50): ...
    async def add(self, products): ...


class FakeInventory(Inventory):
    async def stock(self, sku): ...
    async def receive(self, lines): ...
    async def reserve(self, order_id, lines): ...
    async def sell(self, order_id): ...
    async def release(self, order_id): ...


class FakePayments(Payments):
    """Notes what it was asked for."""

    async def startup(self) -> None:
        self.asked: list[str] = []

    async def authorise(self, order_id, customer_id, amount_cents, card):
        self.asked.append("authorise")
        if card == "bad":
            raise self.Declined(reason="no reason")

    async def capture(self, order_id):
        self.asked.append("capture")

    async def refund(self, order_id):
        self.asked.append("refund")

    async def billing(self, customer_id, before=None, limit=50): ...


class FakeShipping(Shipping):
    async def rates(self, country, grams):
        return (Rate(carrier="Van", cents=300, days=1), Rate(carrier="Bike", cents=200, days=2))

    async def ship(self, order_id, carrier, ship_to):
        return Shipment(order_id=order_id, carrier=carrier, tracking="T1", status="booked")

    async def shipment(self, order_id): ...


@pytest.fixture
async def alone(settings) -> AsyncIterator[RunningApplication]:
    fakes = (FakeCatalog, FakeInventory, FakePayments, FakeShipping)
    async with running(OrdersService, fakes=fakes, clock=VirtualClock(), settings=settings) as alone:
        await alone.client(Orders).put_in_cart("ann", "tea", 2)
        yield alone


@pytest.fixture
def orders(alone: RunningApplication) -> Orders:
    return alone.client(Orders)


async def test_an_order_is_what_was_in_the_cart_by_the_cheapest_carrier(orders: Orders) -> None:
    placed = await orders.place("ann", ORDER)

    assert (placed.carrier, placed.total_cents) == ("Bike", 1200)
    assert (await orders.cart("ann")).lines == ()
    with pytest.raises(Orders.EmptyCart):
        await orders.place("ann", ORDER)


async def test_money_is_authorised_first_and_captured_after_the_time_to_cancel(
    alone: RunningApplication, orders: Orders
) -> None:
    await orders.place("ann", ORDER)

    await alone.advance("59s")
    assert alone.service(FakePayments).asked == ["authorise"]
    await alone.advance("2s")
    assert alone.service(FakePayments).asked == ["authorise", "capture"]
    assert len(await alone.published(OrderConfirmed)) == 1


async def test_the_customer_may_cancel_for_a_while(alone: RunningApplication, orders: Orders) -> None:
    placed = await orders.place("ann", ORDER)
    await alone.advance("59s")
    await orders.cancel("ann", placed.id)

    (cancelled,) = await alone.eventually(lambda: alone.published(OrderCancelled))

    assert cancelled.reason == "You asked for it."
    assert alone.service(FakePayments).asked == ["authorise", "refund"]


async def test_an_order_that_is_on_its_way_cannot_be_cancelled(alone: RunningApplication, orders: Orders) -> None:
    placed = await orders.place("ann", ORDER)
    await alone.eventually(lambda: alone.published(OrderConfirmed), within="2m")

    with pytest.raises(Orders.TooLate, match="confirmed"):
        await orders.cancel("ann", placed.id)


async def test_nobody_sees_or_cancels_the_orders_of_others(orders: Orders) -> None:
    placed = await orders.place("ann", ORDER)

    with pytest.raises(Orders.NoSuchOrder):
        await orders.order("ben", placed.id)
    with pytest.raises(Orders.NoSuchOrder):
        await orders.cancel("ben", placed.id)


async def test_the_address_of_the_profile_is_used_unless_another_is_given(
    alone: RunningApplication, orders: Orders
) -> None:
    with pytest.raises(Orders.NoAddress):
        await orders.place("ann", NewOrder(card="tok"))
    profile = Profile(id="ann", email="ann@example.org", name="Ann", address=HOME)

    await alone.publish(ProfileChanged(customer_id="ann", profile=profile))
    await alone.clock.sleep(0)
    placed = await orders.place("ann", NewOrder(card="tok"))

    assert placed.ship_to == HOME
