#: 9: Stock.level is neither a @query nor a @command. Decorate it; what is private to the service belongs into the service.
"""A lambda is neither a query nor a command."""

from __future__ import annotations
from ramet import Contract


class Stock(Contract, version="1.0.0"):
    level = lambda self, sku: 0


class StockService(Stock): ...
