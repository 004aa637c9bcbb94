#: 11: Stock.changes yields, but a call has one answer. Return a tuple, and let callers ask for it in pages.
"""A call has one answer."""

from __future__ import annotations
from collections.abc import AsyncIterator
from ramet import Contract, query


class Stock(Contract, version="1.0.0"):
    @query
    async def changes(self) -> AsyncIterator[str]:
        yield ""


class StockService(Stock):
    async def changes(self) -> AsyncIterator[str]:
        yield ""
