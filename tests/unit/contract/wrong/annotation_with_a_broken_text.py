#: 9: Stock.level: the parameter "sku" has an annotation that is no type: Forward reference must be an expression -- got 'tuple[str,'. Write a type.
"""An annotation in quotes is not even an expression."""

from ramet import Contract, query


class Stock(Contract, version="1.0.0"):
    @query
    async def level(self, sku: "tuple[str,") -> int: ...


class StockService(Stock):
    async def level(self, sku: str) -> int:
        return 0
