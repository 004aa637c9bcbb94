#: 9: Stock.level does not say what it returns. Annotate it; `-> None` where it returns nothing.
"""A method does not say what it returns."""

from ramet import Contract, query


class Stock(Contract, version="1.0.0"):
    @query
    async def level(self, sku: str): ...


class StockService(Stock):
    async def level(self, sku: str) -> int:
        return 0
