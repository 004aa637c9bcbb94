"""What every HTTP peer answers: the same types, the same rules, the same answers."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from ramet import Struct

Text = Annotated[str, Meta(min_length=1, max_length=200)]
Quantity = Annotated[int, Meta(ge=1, le=1000)]
Limit = Annotated[int, Meta(ge=1, le=100)]


class Line(Struct):
    sku: Text
    quantity: Quantity
    price: float


class Address(Struct):
    street: Text
    city: Text
    code: Text
    country: Text


class NewOrder(Struct):
    customer: Text
    lines: tuple[Line, ...]
    address: Address
    gift: bool = False
    note: str | None = None


class Receipt(Struct):
    id: str
    customer: str
    city: str
    pieces: int
    total: float
    lines: tuple[Line, ...]


class Product(Struct):
    sku: str
    name: str
    related: tuple[str, ...]
    detailed: bool


def receipt(order: NewOrder) -> Receipt:
    """The answer to POST /api/orders."""
    return Receipt(
        id="order-1",
        customer=order.customer,
        city=order.address.city,
        pieces=sum(line.quantity for line in order.lines),
        total=sum(line.quantity * line.price for line in order.lines),
        lines=order.lines,
    )


def product(sku: str, limit: int, detailed: bool) -> Product:  # noqa: FBT001 - as it comes from the query string
    """The answer to GET /api/products/{sku}."""
    return Product(sku=sku, name="Chair", related=tuple(f"{sku}-{n}" for n in range(limit)), detailed=detailed)
