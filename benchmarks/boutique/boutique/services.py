"""The services behind the contracts: the logic of the original, calls one after the other as there."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid1, uuid4

import msgspec
from boutique import money as sums
from boutique.contracts import (
    Ads,
    Cart,
    Checkout,
    Currency,
    Email,
    Payment,
    ProductCatalog,
    Recommendation,
    Shipping,
)
from boutique.values import Ad, Address, Card, CartItem, Money, Order, OrderItem, Product

DATA = Path(__file__).parent.parent / "data"
ADS = {
    "clothing": (Ad(redirect_url="/product/66VCHSJNUP", text="Tank top for sale. 20% off."),),
    "accessories": (Ad(redirect_url="/product/1YMWWN1N4O", text="Watch for sale. Buy one, get second kit for free"),),
    "footwear": (Ad(redirect_url="/product/L9ECAV7KIM", text="Loafers for sale. Buy one, get second one for free"),),
    "hair": (Ad(redirect_url="/product/2ZYFJ3GM2N", text="Hairdryer for sale. 50% off."),),
    "decor": (Ad(redirect_url="/product/0PUK6V6EV0", text="Candle holder for sale. 30% off."),),
    "kitchen": (
        Ad(redirect_url="/product/9SIQT8TOJO", text="Bamboo glass jar for sale. 10% off."),
        Ad(redirect_url="/product/6E92ZMYYFZ", text="Mug for sale. Buy two, get third one for free"),
    ),
}
ALL_ADS = tuple(ad for ads in ADS.values() for ad in ads)
FLAT_RATE = Money(currency_code="USD", units=8, nanos=990_000_000)
FREE = Money(currency_code="USD", units=0, nanos=0)
ELECTRON = ("4026", "417500", "4508", "4844", "4913", "4917")


class AdsService(Ads):
    async def get_ads(self, context_keys: tuple[str, ...]) -> tuple[Ad, ...]:
        return tuple(ad for key in context_keys for ad in ADS.get(key, ())) or tuple(random.choices(ALL_ADS, k=2))


class CartService(Cart):
    async def startup(self) -> None:
        self._carts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))

    async def add_item(self, user_id: str, item: CartItem) -> None:
        self._carts[user_id][item.product_id] += item.quantity

    async def get_cart(self, user_id: str) -> tuple[CartItem, ...]:
        found = self._carts.get(user_id, {})
        return tuple(CartItem(product_id=product, quantity=quantity) for product, quantity in found.items())

    async def empty_cart(self, user_id: str) -> None:
        self._carts.pop(user_id, None)


class _Price(msgspec.Struct, rename="camel"):
    currency_code: str
    units: int = 0
    nanos: int = 0


class _Listed(msgspec.Struct, rename="camel"):
    id: str
    name: str
    description: str
    picture: str
    price_usd: _Price
    categories: tuple[str, ...]


class _Listing(msgspec.Struct):
    products: tuple[_Listed, ...]


def read_products() -> dict[str, Product]:
    """The nine products, by id."""
    listing = msgspec.json.decode((DATA / "products.json").read_bytes(), type=_Listing)
    return {one.id: msgspec.convert(one, Product, from_attributes=True) for one in listing.products}


class ProductCatalogService(ProductCatalog):
    async def startup(self) -> None:
        self._products = read_products()

    async def list_products(self) -> tuple[Product, ...]:
        return tuple(self._products.values())

    async def get_product(self, product_id: str) -> Product:
        product = self._products.get(product_id)
        if product is None:
            raise self.NoSuchProduct(product_id=product_id)
        return product

    async def search_products(self, text: str) -> tuple[Product, ...]:
        wanted = text.lower()
        return tuple(one for one in self._products.values() if wanted in f"{one.name}\n{one.description}".lower())


def read_rates() -> dict[str, float]:
    """What one euro is, by currency."""
    texts = msgspec.json.decode((DATA / "currency_conversion.json").read_bytes(), type=dict[str, str])
    return {code: float(text) for code, text in texts.items()}


class CurrencyService(Currency):
    async def startup(self) -> None:
        self._rates = read_rates()
        self._codes = tuple(self._rates)

    async def get_supported_currencies(self) -> tuple[str, ...]:
        return self._codes

    async def convert(self, money: Money, to_code: str) -> Money:
        return sums.convert(money, to_code, self._rates)


class PaymentService(Payment):
    async def charge(self, amount: Money, card: Card) -> str:
        number = card.credit_card_number.replace("-", "")
        kind = card_kind(number)
        if kind is None or not is_luhn(number):
            raise self.NotCharged(reason="the card number is not valid")
        if kind not in ("visa", "mastercard"):
            raise self.NotCharged(reason=f"cards of {kind} are not accepted")
        today = datetime.now(UTC)
        if card.credit_card_expiration_year * 12 + card.credit_card_expiration_month < today.year * 12 + today.month:
            raise self.NotCharged(reason="the card has expired")
        return str(uuid4())


def card_kind(number: str) -> str | None:
    """Whose card it is; None where nobody issues such numbers."""
    if len(number) != 16 or not number.isdigit():
        return None
    if number.startswith(ELECTRON):
        return "visa electron"
    if number.startswith("4"):
        return "visa"
    return "mastercard" if "51" <= number[:2] <= "55" else None


def is_luhn(number: str) -> bool:
    """Whether the check digit is right."""
    digits = [int(digit) for digit in reversed(number)]
    return (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0


class ShippingService(Shipping):
    async def get_quote(self, address: Address | None, items: tuple[CartItem, ...]) -> Money:
        return FLAT_RATE if sum(item.quantity for item in items) else FREE

    async def ship_order(self, address: Address, items: tuple[CartItem, ...]) -> str:
        length = len(f"{address.street_address}, {address.city}, {address.state}")
        letters = "".join(random.choices("ABCDEFGHIJKLMNOPQRSTUVWXY", k=2))
        return f"{letters}-{length}{random.randrange(1000):03}-{length // 2}{random.randrange(10_000_000):07}"


class EmailService(Email):
    async def startup(self) -> None:
        self._sent = 0

    async def send_order_confirmation(self, email: str, order: Order) -> None:
        self._sent += 1


class RecommendationService(Recommendation):
    product_catalog: ProductCatalog

    async def list_recommendations(self, user_id: str, product_ids: tuple[str, ...]) -> tuple[str, ...]:
        known = [product.id for product in await self.product_catalog.list_products()]
        others = [product for product in known if product not in product_ids]
        return tuple(random.sample(others, min(5, len(others))))


class CheckoutService(Checkout):
    cart: Cart
    product_catalog: ProductCatalog
    currency: Currency
    shipping: Shipping
    payment: Payment
    email: Email

    async def place_order(self, user_id: str, user_currency: str, address: Address, email: str, card: Card) -> Order:
        items = await self.cart.get_cart(user_id)
        priced = [await self._priced(item, user_currency) for item in items]
        shipping_cost = await self.currency.convert(await self.shipping.get_quote(address, items), user_currency)
        total = shipping_cost
        for one in priced:
            total = sums.plus(total, sums.times(one.cost, one.item.quantity))
        await self.payment.charge(total, card)
        tracking_id = await self.shipping.ship_order(address, items)
        await self.cart.empty_cart(user_id)
        order = Order(
            order_id=str(uuid1()),
            shipping_tracking_id=tracking_id,
            shipping_cost=shipping_cost,
            shipping_address=address,
            items=tuple(priced),
        )
        await self.email.send_order_confirmation(email, order)
        return order

    async def _priced(self, item: CartItem, currency: str) -> OrderItem:
        product = await self.product_catalog.get_product(item.product_id)
        return OrderItem(item=item, cost=await self.currency.convert(product.price_usd, currency))
