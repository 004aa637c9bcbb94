"""The public API: the pages of the original as JSON."""

from __future__ import annotations

import asyncio
import random
from typing import Annotated

import msgspec
from boutique import money as sums
from boutique.contracts import Ads, Cart, Checkout, Currency, ProductCatalog, Recommendation, Shipping
from boutique.values import (
    Ad,
    Address,
    Card,
    CartItem,
    CartPage,
    Home,
    InCart,
    NewCurrency,
    NewItem,
    NewOrder,
    OrderPage,
    Priced,
    Product,
    ProductPage,
)

from ramet import Api, Cookie, Reply, get, post

SHOWN = frozenset({"USD", "EUR", "CAD", "JPY", "GBP", "TRY"})
MOST_RECOMMENDED = 4
PATIENCE_WITH_ADS_SECONDS = 0.1
User = Annotated[str, Cookie()]


class Frontend(Api, version="1.0.0"):
    """Look at products, fill a cart, order."""

    ads: Ads
    cart: Cart
    checkout: Checkout
    currency: Currency
    product_catalog: ProductCatalog
    recommendation: Recommendation
    shipping: Shipping

    @get("/")
    async def home(self, session: User, shown_in: User = "USD") -> Home:
        currencies = await self._currencies()
        products = await self.product_catalog.list_products()
        cart = await self.cart.get_cart(session)
        priced = [await self._priced(product, shown_in) for product in products]
        ad = await self._ad(())
        return Home(currencies=currencies, products=tuple(priced), cart_size=_size(cart), ad=ad)

    @get("/product/{product_id}")
    async def product(self, product_id: str, session: User, shown_in: User = "USD") -> ProductPage:
        product = await self.product_catalog.get_product(product_id)
        currencies = await self._currencies()
        cart = await self.cart.get_cart(session)
        priced = await self._priced(product, shown_in)
        recommended = await self._recommended(session, (product_id,))
        return ProductPage(
            currencies=currencies,
            product=priced,
            recommendations=recommended,
            cart_size=_size(cart),
            ad=await self._ad(product.categories),
        )

    @get("/cart")
    async def view_cart(self, session: User, shown_in: User = "USD") -> CartPage:
        currencies = await self._currencies()
        cart = await self.cart.get_cart(session)
        recommended = await self._recommended(session, tuple(item.product_id for item in cart))
        shipping = await self.currency.convert(await self.shipping.get_quote(None, cart), shown_in)
        total, lines = shipping, []
        for item in cart:
            found = await self._priced(await self.product_catalog.get_product(item.product_id), shown_in)
            lines.append(InCart(product=found.product, quantity=item.quantity, price=found.price))
            total = sums.plus(total, sums.times(found.price, item.quantity))
        return CartPage(
            currencies=currencies,
            items=tuple(lines),
            recommendations=recommended,
            shipping_cost=shipping,
            total=total,
        )

    @post("/cart")
    async def add_to_cart(self, new: NewItem, session: User) -> None:
        product = await self.product_catalog.get_product(new.product_id)
        await self.cart.add_item(session, CartItem(product_id=product.id, quantity=new.quantity))

    @post("/cart/checkout")
    async def place_order(self, new: NewOrder, session: User, shown_in: User = "USD") -> OrderPage:
        address, card = (
            msgspec.convert(new, Address, from_attributes=True),
            msgspec.convert(new, Card, from_attributes=True),
        )
        order = await self.checkout.place_order(session, shown_in, address, new.email, card)
        recommended = await self._recommended(session, ())
        currencies = await self._currencies()
        total = order.shipping_cost
        for one in order.items:
            total = sums.plus(total, sums.times(one.cost, one.item.quantity))
        return OrderPage(currencies=currencies, order=order, total_paid=total, recommendations=recommended)

    @post("/setCurrency")
    async def set_currency(self, new: NewCurrency) -> Reply[None]:
        return Reply(None, cookies={"shown_in": f"{new.currency_code}; Path=/"})

    async def _currencies(self) -> tuple[str, ...]:
        return tuple(code for code in await self.currency.get_supported_currencies() if code in SHOWN)

    async def _priced(self, product: Product, currency: str) -> Priced:
        return Priced(product=product, price=await self.currency.convert(product.price_usd, currency))

    async def _recommended(self, session: str, products: tuple[str, ...]) -> tuple[Product, ...]:
        ids = await self.recommendation.list_recommendations(session, products)
        found = [await self.product_catalog.get_product(one) for one in ids]
        return tuple(found[:MOST_RECOMMENDED])

    async def _ad(self, keys: tuple[str, ...]) -> Ad | None:
        try:
            async with asyncio.timeout(PATIENCE_WITH_ADS_SECONDS):
                found = await self.ads.get_ads(keys)
        except TimeoutError:
            return None
        return random.choice(found) if found else None


def _size(cart: tuple[CartItem, ...]) -> int:
    return sum(item.quantity for item in cart)
