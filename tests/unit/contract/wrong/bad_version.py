#: 8: The contract Stock has the version "v1", which is not a semantic version. Write MAJOR.MINOR.PATCH, such as "1.0.0".
"""A version is a semantic one."""

from __future__ import annotations
from ramet import Contract


class Stock(Contract, version="v1"): ...


class StockService(Stock): ...
