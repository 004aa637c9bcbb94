"""What the public API takes and gives: it is not the internal one, and changes at its own pace."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from ramet import Header, Struct
from shop.catalog.contract import Product
from shop.users.contract import Name

Email = Annotated[str, Meta(pattern=r"^[^@\s\x00]+@[^@\s\x00]+$", max_length=200)]
Password = Annotated[str, Meta(min_length=8, max_length=100)]
Quantity = Annotated[int, Meta(ge=0, le=100)]
Sku = Annotated[str, Meta(max_length=40)]
Country = Annotated[str, Meta(pattern="^[A-Z]{2}$")]
Grams = Annotated[int, Meta(gt=0, le=100_000)]
Seen = Annotated[int, Meta(ge=0), Header("Last-Event-ID")]


class NewCustomer(Struct):
    email: Email
    password: Password
    name: Name


class SignIn(Struct):
    email: Email
    password: Password


class Session(Struct):
    """Send it along: `Authorization: Bearer <token>`."""

    token: str


class InCart(Struct):
    quantity: Quantity
    """Zero takes the product out of the cart."""


class ProductView(Struct):
    product: Product
    in_stock: int
