"""The nine contracts, as the protocol buffers of the original declare them."""

from __future__ import annotations

from boutique.values import Ad, Address, Card, CartItem, Money, Order, Product

from ramet import Contract, Refusal, command, query


class Ads(Contract, version="1.0.0"):
    @query
    async def get_ads(self, context_keys: tuple[str, ...]) -> tuple[Ad, ...]: ...


class Cart(Contract, version="1.0.0"):
    @command
    async def add_item(self, user_id: str, item: CartItem) -> None: ...

    @query
    async def get_cart(self, user_id: str) -> tuple[CartItem, ...]: ...

    @command
    async def empty_cart(self, user_id: str) -> None: ...


class ProductCatalog(Contract, version="1.0.0"):
    class NoSuchProduct(Refusal, status=404):
        """There is no product {product_id}."""

        product_id: str

    @query
    async def list_products(self) -> tuple[Product, ...]: ...

    @query(refuses=NoSuchProduct)
    async def get_product(self, product_id: str) -> Product: ...

    @query
    async def search_products(self, text: str) -> tuple[Product, ...]: ...


class Currency(Contract, version="1.0.0"):
    @query
    async def get_supported_currencies(self) -> tuple[str, ...]: ...

    @query
    async def convert(self, money: Money, to_code: str) -> Money: ...


class Payment(Contract, version="1.0.0"):
    class NotCharged(Refusal, status=422):
        """The card was not charged: {reason}."""

        reason: str

    @command(refuses=NotCharged)
    async def charge(self, amount: Money, card: Card) -> str: ...


class Shipping(Contract, version="1.0.0"):
    @query
    async def get_quote(self, address: Address | None, items: tuple[CartItem, ...]) -> Money: ...

    @command
    async def ship_order(self, address: Address, items: tuple[CartItem, ...]) -> str: ...


class Email(Contract, version="1.0.0"):
    @command
    async def send_order_confirmation(self, email: str, order: Order) -> None: ...


class Recommendation(Contract, version="1.0.0"):
    @query
    async def list_recommendations(self, user_id: str, product_ids: tuple[str, ...]) -> tuple[str, ...]: ...


class Checkout(Contract, version="1.0.0"):
    @command(refuses=(Payment.NotCharged, ProductCatalog.NoSuchProduct))
    async def place_order(
        self, user_id: str, user_currency: str, address: Address, email: str, card: Card
    ) -> Order: ...
