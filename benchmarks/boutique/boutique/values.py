"""Pure: what the services speak of."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from ramet import Struct


class Money(Struct):
    """`nanos` are billionths, of the same sign as the units."""

    currency_code: str
    units: int
    nanos: int


class Product(Struct):
    id: str
    name: str
    description: str
    picture: str
    price_usd: Money
    categories: tuple[str, ...]


class CartItem(Struct):
    product_id: str
    quantity: int


class Address(Struct):
    street_address: str
    city: str
    state: str
    country: str
    zip_code: int


class Card(Struct):
    credit_card_number: str
    credit_card_cvv: int
    credit_card_expiration_year: int
    credit_card_expiration_month: int


class OrderItem(Struct):
    """`cost` is that of one piece, in the customer's currency."""

    item: CartItem
    cost: Money


class Order(Struct):
    order_id: str
    shipping_tracking_id: str
    shipping_cost: Money
    shipping_address: Address
    items: tuple[OrderItem, ...]


class Ad(Struct):
    redirect_url: str
    text: str


Street = Annotated[str, Meta(min_length=1, max_length=512)]
Name = Annotated[str, Meta(min_length=1, max_length=128)]
Year = Annotated[int, Meta(ge=1)]


class NewItem(Struct):
    """What is put into a cart."""

    product_id: Annotated[str, Meta(min_length=1)]
    quantity: Annotated[int, Meta(ge=1, le=10)]


class NewCurrency(Struct):
    """What prices are to be shown in."""

    currency_code: Annotated[str, Meta(pattern="^[A-Z]{3}$")]


class NewOrder(Struct):
    """What the form of the checkout asks."""

    email: Annotated[str, Meta(pattern=r"^[^@\s]+@[^@\s]+$")]
    street_address: Street
    city: Name
    state: Name
    country: Name
    zip_code: Annotated[int, Meta(ge=1)]
    credit_card_number: str
    credit_card_cvv: Annotated[int, Meta(ge=1)]
    credit_card_expiration_year: Year
    credit_card_expiration_month: Annotated[int, Meta(ge=1, le=12)]


class Priced(Struct):
    """A product and what it costs in the customer's currency."""

    product: Product
    price: Money


class InCart(Struct):
    """A line of a cart, with the price of one piece."""

    product: Product
    quantity: int
    price: Money


class Home(Struct):
    currencies: tuple[str, ...]
    products: tuple[Priced, ...]
    cart_size: int
    ad: Ad | None


class ProductPage(Struct):
    currencies: tuple[str, ...]
    product: Priced
    recommendations: tuple[Product, ...]
    cart_size: int
    ad: Ad | None


class CartPage(Struct):
    currencies: tuple[str, ...]
    items: tuple[InCart, ...]
    recommendations: tuple[Product, ...]
    shipping_cost: Money
    total: Money


class OrderPage(Struct):
    currencies: tuple[str, ...]
    order: Order
    total_paid: Money
    recommendations: tuple[Product, ...]
