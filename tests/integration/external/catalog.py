"""A catalog with a few products, answered over HTTP as any contract is."""

from __future__ import annotations

from ramet import Contract, Refusal, Struct, command, query


class Product(Struct):
    sku: str
    name: str
    category: str
    price_cents: int


class Catalog(Contract, version="1.0.0"):
    """Knows the products."""

    class NoSuchProduct(Refusal, status=404):
        """There is no product {sku}."""

        sku: str

    @query(refuses=NoSuchProduct)
    async def product(self, sku: str) -> Product: ...

    @query
    async def search(self, category: str | None = None) -> tuple[Product, ...]: ...

    @command
    async def rename(self, sku: str, name: str) -> int: ...


PRODUCTS = {
    sku: Product(sku=sku, name=sku.title(), category=category, price_cents=price)
    for sku, category, price in (
        ("tea", "drinks", 400),
        ("coffee", "drinks", 700),
        ("cocoa", "drinks", 450),
        ("cup", "things", 900),
    )
}


class CatalogService(Catalog):
    renamed = 0

    async def product(self, sku: str) -> Product:
        if sku not in PRODUCTS:
            raise self.NoSuchProduct(sku=sku)
        return PRODUCTS[sku]

    async def search(self, category: str | None = None) -> tuple[Product, ...]:
        return tuple(one for one in PRODUCTS.values() if category in {None, one.category})

    async def rename(self, sku: str, name: str) -> int:
        self.renamed += 1
        return self.renamed
