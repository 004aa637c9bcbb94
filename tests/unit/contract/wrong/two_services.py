#: 14: The contract Stock is implemented by StockService and FasterStockService. Keep one of them in the application.
"""A contract has one service in an application."""

from __future__ import annotations
from ramet import Contract


class Stock(Contract, version="1.0.0"): ...


class StockService(Stock): ...


class FasterStockService(StockService): ...
