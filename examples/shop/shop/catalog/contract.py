"""What the other services may know of the catalog."""

from __future__ import annotations

from ramet import Contract, Refusal, Struct, command, query


class Product(Struct):
    sku: str
    name: str
    description: str
    category: str
    price_cents: int
    grams: int
    """What one weighs, packed."""


class Catalog(Contract, version="1.0.0"):
    """Knows the products, what they cost and how to find them."""

    class NoSuchProduct(Refusal, status=404):
        """There is no product {sku}."""

        sku: str

    @query(refuses=NoSuchProduct)
    async def product(self, sku: str) -> Product: ...

    @query
    async def products(self, skus: tuple[str, ...]) -> tuple[Product, ...]:
        """Those of the products that there are, by sku."""
        ...

    @query
    async def search(
        self, text: str = "", category: str | None = None, after: str | None = None, limit: int = 50
    ) -> tuple[Product, ...]:
        """Products whose name or description has all words of the text, by sku, beginning `after` one."""
        ...

    @command
    async def add(self, products: tuple[Product, ...]) -> None:
        """Add products, or replace those with the same sku."""
        ...
