#: 10: Stock.level: the parameter "sku": [str] is no type. Name a type, for instance str or a Struct.
#: 10: Stock.level: the result: 5 is no type. Name a type, for instance str or a Struct.
"""An annotation is a value."""

from ramet import Contract, query


class Stock(Contract, version="1.0.0"):
    @query
    async def level(self, sku: [str]) -> 5: ...


class StockService(Stock):
    async def level(self, sku: str) -> int:
        return 0
