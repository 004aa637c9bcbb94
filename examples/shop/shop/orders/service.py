"""Carts, checkout, tracking and history."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import Row, delete, func, insert, select, update

from ramet import Clock, Database, Settings, on
from shop.catalog.contract import Catalog, Product
from shop.orders.checkout import Checkout
from shop.orders.contract import (
    Cart,
    CartLine,
    Happening,
    Order,
    OrderCancelled,
    OrderConfirmed,
    OrderPlaced,
    Orders,
    Status,
)
from shop.orders.tables import carts, customers, history, metadata, orders
from shop.shipping.contract import ParcelMoved, Rate, Shipping
from shop.users.contract import Address, ProfileChanged


class OrdersSettings(Settings):
    time_to_cancel: timedelta = timedelta(minutes=5)
    """How long a customer may cancel after placing an order."""


class OrdersService(Orders, tables=metadata, sagas=(Checkout,)):
    db: Database
    settings: OrdersSettings
    clock: Clock
    catalog: Catalog
    shipping: Shipping

    async def cart(self, customer_id):
        theirs = carts.c.customer_id == customer_id
        wanted = dict((await self.db.execute(select(carts.c.sku, carts.c.quantity).where(theirs))).all())
        products = await self.catalog.products(tuple(wanted))
        lines = tuple(_line(product, wanted[product.sku]) for product in products)
        return Cart(lines=lines, total_cents=sum(line.price_cents * line.quantity for line in lines))

    async def put_in_cart(self, customer_id, sku, quantity):
        if quantity and not await self.catalog.products((sku,)):
            raise self.NoSuchProduct(sku=sku)
        await self.db.execute(delete(carts).where(carts.c.customer_id == customer_id, carts.c.sku == sku))
        if quantity:
            await self.db.execute(insert(carts).values(customer_id=customer_id, sku=sku, quantity=quantity))

    async def place(self, customer_id, order):
        cart = await self.cart(customer_id)
        if not cart.lines:
            raise self.EmptyCart
        ship_to = order.ship_to or await self._address(customer_id)
        rate = await self._rate(cart, order.carrier, ship_to)
        placed = Order(
            id=self.clock.id(),
            customer_id=customer_id,
            status="placed",
            lines=cart.lines,
            shipping_cents=rate.cents,
            total_cents=cart.total_cents + rate.cents,
            carrier=rate.carrier,
            ship_to=ship_to,
            placed_at=self.clock.now(),
        )
        await self._empty_cart(customer_id)
        await self._keep(placed)
        await self.publish(OrderPlaced(order_id=placed.id, customer_id=customer_id, total_cents=placed.total_cents))
        cancellable_until = placed.placed_at + self.settings.time_to_cancel
        state = Checkout.State(order=placed, card=order.card, cancellable_until=cancellable_until)
        await self.start(Checkout, key=placed.id, state=state)
        return placed

    async def order(self, customer_id, order_id):
        found = await self.db.execute(
            select(orders).where(orders.c.id == order_id, orders.c.customer_id == customer_id)
        )
        if (row := found.first()) is None:
            raise self.NoSuchOrder(order_id=order_id)
        happened = await self.db.execute(
            select(history.c.at, history.c.what).where(history.c.order_id == order_id).order_by(history.c.id)
        )
        steps = tuple(Happening(at=at, what=what) for at, what in happened)
        return replace(_order(row), history=steps)

    async def orders(self, customer_id, before=None, limit=50):
        found = select(orders).where(orders.c.customer_id == customer_id).order_by(orders.c.id.desc()).limit(limit)
        if before is not None:
            found = found.where(orders.c.id < before)
        return tuple(_order(row) for row in await self.db.execute(found))

    async def cancel(self, customer_id, order_id):
        order = await self.order(customer_id, order_id)
        if not await self._become("cancelling", order_id, after=("placed",), reason="You asked for it."):
            raise self.TooLate(order_id=order_id, state=order.status)
        await self._note(order_id, "The customer asked to cancel it.")

    async def accept(self, order_id):
        if not await self._become("accepted", order_id, after=("placed",)):
            raise self.Withdrawn(order_id=order_id)

    async def confirm(self, order_id, tracking):
        order = await self._become("confirmed", order_id, after=("accepted",), tracking=tracking)
        if order:
            await self._note(order_id, "Paid, and handed over for shipment.")
            facts = {"customer_id": order.customer_id, "total_cents": order.total_cents, "tracking": tracking}
            await self.publish(OrderConfirmed(order_id=order_id, **facts))

    async def reject(self, order_id, reason):
        why = func.coalesce(orders.c.reason, reason)  # the customer's own wish goes first
        order = await self._become("cancelled", order_id, after=("placed", "cancelling", "accepted"), reason=why)
        if order:
            why = order.reason or ""
            await self._note(order_id, f"Cancelled. {why}")
            await self.publish(OrderCancelled(order_id=order_id, customer_id=order.customer_id, reason=why))

    @on(ProfileChanged, start="retained")
    async def remember(self, event: ProfileChanged) -> None:
        await self.db.execute(delete(customers).where(customers.c.id == event.customer_id))
        address = msgspec.to_builtins(event.profile.address)
        await self.db.execute(insert(customers).values(id=event.customer_id, address=address))

    @on(ParcelMoved)
    async def follow(self, event: ParcelMoved) -> None:
        await self._note(event.order_id, f"The parcel is {event.status}.")

    async def _address(self, customer_id: str) -> Address:
        known = await self.db.scalar(select(customers.c.address).where(customers.c.id == customer_id))
        if known is None:
            raise self.NoAddress
        return msgspec.convert(known, Address)

    async def _rate(self, cart: Cart, carrier: str | None, ship_to: Address) -> Rate:
        rates = await self.shipping.rates(ship_to.country, sum(line.grams * line.quantity for line in cart.lines))
        fitting = [rate for rate in rates if carrier in (None, rate.carrier)]
        if not fitting:
            raise self.NotShipped(carrier=carrier or "No carrier", country=ship_to.country)
        return min(fitting, key=lambda rate: rate.cents)

    async def _empty_cart(self, customer_id: str) -> None:
        taken = await self.db.execute(delete(carts).where(carts.c.customer_id == customer_id))
        if taken.rowcount == 0:  # another order was faster
            raise self.EmptyCart

    async def _keep(self, order: Order) -> None:
        row = msgspec.to_builtins(order, builtin_types=(datetime,))
        del row["history"]
        await self.db.execute(insert(orders).values(row))
        await self._note(order.id, "Placed.")

    async def _become(self, status: Status, order_id: str, *, after: tuple[Status, ...], **values: Any) -> Order | None:
        """Change the status, if it is one of `after`."""
        theirs = (orders.c.id == order_id) & orders.c.status.in_(after)
        changed = await self.db.execute(update(orders).where(theirs).values(status=status, **values).returning(orders))
        row = changed.first()
        return None if row is None else _order(row)

    async def _note(self, order_id: str, what: str) -> None:
        await self.db.execute(insert(history).values(order_id=order_id, at=self.clock.now(), what=what))


def _line(it: Product, quantity: int) -> CartLine:
    return CartLine(sku=it.sku, name=it.name, quantity=quantity, price_cents=it.price_cents, grams=it.grams)


def _order(row: Row[Any]) -> Order:
    return msgspec.convert(row, Order, from_attributes=True)
