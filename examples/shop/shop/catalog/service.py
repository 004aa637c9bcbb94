"""Products and search."""

from __future__ import annotations

import msgspec
from sqlalchemy import select

from ramet import Database
from shop.catalog.contract import Catalog, Product
from shop.catalog.tables import Base, ProductRow


class CatalogService(Catalog, tables=Base.metadata):
    db: Database

    async def product(self, sku):
        async with self.db.session() as session:
            row = await session.get(ProductRow, sku)
        if row is None:
            raise self.NoSuchProduct(sku=sku)
        return msgspec.convert(row, Product, from_attributes=True)

    async def products(self, skus):
        return await self._found(select(ProductRow).where(ProductRow.sku.in_(skus)).order_by(ProductRow.sku))

    async def search(self, text="", category=None, after=None, limit=50):
        found = select(ProductRow).order_by(ProductRow.sku).limit(limit)
        for word in text.split():
            found = found.where(
                ProductRow.name.icontains(word, autoescape=True)
                | ProductRow.description.icontains(word, autoescape=True)
            )
        if category is not None:
            found = found.where(ProductRow.category == category)
        if after is not None:
            found = found.where(ProductRow.sku > after)
        return await self._found(found)

    async def add(self, products):
        async with self.db.session() as session:
            for product in products:
                await session.merge(ProductRow(**msgspec.structs.asdict(product)))

    async def _found(self, statement):
        async with self.db.session() as session:
            return msgspec.convert((await session.scalars(statement)).all(), tuple[Product, ...], from_attributes=True)
