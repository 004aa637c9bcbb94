#: 14: StockService implements several contracts: Stock, Catalog. Write a service for each of them.
"""A service implements one contract."""

from __future__ import annotations
from ramet import Contract


class Stock(Contract, version="1.0.0"): ...


class Catalog(Contract, version="1.0.0"): ...


class StockService(Stock, Catalog): ...
