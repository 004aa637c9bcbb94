#: 8: The contract Stock has no version. Write `class Stock(Contract, version="1.0.0")`.
"""A contract has a version."""

from __future__ import annotations
from ramet import Contract


class Stock(Contract): ...


class StockService(Stock): ...
