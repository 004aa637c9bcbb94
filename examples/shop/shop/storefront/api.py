"""The public API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

from ramet import (
    Api,
    Caller,
    Clock,
    Message,
    Page,
    Paged,
    Request,
    Settings,
    Unauthenticated,
    Unavailable,
    get,
    patch,
    post,
    put,
)
from shop.catalog.contract import Catalog, Product
from shop.inventory.contract import Inventory
from shop.orders.contract import Cart, Happening, NewOrder, Order, Orders
from shop.payments.contract import BillingEntry, Payments
from shop.recommendations.contract import Recommendations, Recommended
from shop.shipping.contract import Rate, Shipment, Shipping
from shop.storefront.views import Country, Grams, InCart, NewCustomer, ProductView, Seen, Session, SignIn, Sku
from shop.users.contract import Profile, ProfileChange, Users


class StorefrontSettings(Settings):
    look_every: timedelta = timedelta(seconds=0.5)
    """How often an order that is being watched is looked at."""


class Storefront(Api, prefix="/api", version="1.0.0"):
    """Browse, fill a cart, order, and follow the parcel."""

    settings: StorefrontSettings
    clock: Clock
    users: Users
    catalog: Catalog
    inventory: Inventory
    orders: Orders
    payments: Payments
    shipping: Shipping
    recommendations: Recommendations

    async def authenticate(self, request: Request) -> Caller | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        customer_id = await self.users.identify(token)
        if customer_id is None:
            raise Unauthenticated("The token is not valid, or not any more: sign in again.")
        return Caller(subject=customer_id)

    @post("/customers", status=201, tags=["account"])
    async def register(self, customer: NewCustomer) -> Profile:
        return await self.users.register(customer.email, customer.password, customer.name)

    @post("/sessions", status=201, tags=["account"])
    async def sign_in(self, who: SignIn) -> Session:
        return Session(token=await self.users.sign_in(who.email, who.password))

    @get("/profile", tags=["account"])
    async def profile(self, caller: Caller) -> Profile:
        return await self.users.profile(caller.subject)

    @patch("/profile", tags=["account"])
    async def change_profile(self, change: ProfileChange, caller: Caller) -> Profile:
        return await self.users.change_profile(caller.subject, change)

    @get("/billing", tags=["account"])
    async def billing(self, page: Page, caller: Caller) -> Paged[BillingEntry]:
        entries = await self.payments.billing(caller.subject, page.after(int), page.limit + 1)
        return page.of(entries, key=lambda entry: entry.id)

    @get("/products", tags=["catalog"])
    async def search(self, page: Page, q: str = "", category: str | None = None) -> Paged[Product]:
        """Products that have all the words of `q`."""
        found = await self.catalog.search(q, category, page.after(str), page.limit + 1)
        return page.of(found, key=lambda product: product.sku)

    @get("/products/{sku}", tags=["catalog"])
    async def product(self, sku: Sku) -> ProductView:
        return ProductView(product=await self.catalog.product(sku), in_stock=await self.inventory.stock(sku))

    @get("/products/{sku}/similar", tags=["catalog"])
    async def similar(self, sku: Sku) -> tuple[Recommended, ...]:
        """What else one may like; nothing while nobody is there who knows."""
        try:
            return await self.recommendations.similar(sku)
        except (Unavailable, Recommendations.UnknownProduct):
            return ()

    @get("/shipping-rates", tags=["catalog"])
    async def shipping_rates(self, country: Country, grams: Grams) -> tuple[Rate, ...]:
        return await self.shipping.rates(country, grams)

    @get("/cart", tags=["orders"])
    async def cart(self, caller: Caller) -> Cart:
        return await self.orders.cart(caller.subject)

    @put("/cart/{sku}", tags=["orders"])
    async def put_in_cart(self, sku: Sku, wanted: InCart, caller: Caller) -> None:
        await self.orders.put_in_cart(caller.subject, sku, wanted.quantity)

    @post("/orders", status=201, tags=["orders"])
    async def place(self, order: NewOrder, caller: Caller) -> Order:
        """Orders what is in the cart. Send an Idempotency-Key, and repeating the request is safe."""
        return await self.orders.place(caller.subject, order)

    @get("/orders", tags=["orders"])
    async def list_orders(self, page: Page, caller: Caller) -> Paged[Order]:
        found = await self.orders.orders(caller.subject, page.after(str), page.limit + 1)
        return page.of(found, key=lambda order: order.id)

    @get("/orders/{order_id}", tags=["orders"])
    async def order(self, order_id: str, caller: Caller) -> Order:
        return await self.orders.order(caller.subject, order_id)

    @post("/orders/{order_id}/cancellation", status=202, tags=["orders"])
    async def cancel(self, order_id: str, caller: Caller) -> Order:
        await self.orders.cancel(caller.subject, order_id)
        return await self.orders.order(caller.subject, order_id)

    @get("/orders/{order_id}/shipment", tags=["orders"])
    async def shipment(self, order_id: str, caller: Caller) -> Shipment:
        order = await self.orders.order(caller.subject, order_id)
        return await self.shipping.shipment(order.id)

    @get("/orders/{order_id}/events", tags=["orders"])
    async def follow(
        self, order_id: str, caller: Caller, last_event_id: Seen = 0
    ) -> AsyncIterator[Happening | Message[Happening]]:
        """What happens to an order, as it happens, until it is confirmed or cancelled."""
        decided = False
        while not decided:
            order = await self.orders.order(caller.subject, order_id)
            decided = order.status in ("confirmed", "cancelled")
            for happening in order.history[last_event_id:]:
                last_event_id += 1
                yield Message(data=happening, id=str(last_event_id))
            await self.clock.sleep(0 if decided else self.settings.look_every.total_seconds())
