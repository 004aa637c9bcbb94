#: 11: StockService says version=…, which is for its contract to say. Move it to the class line of Stock.
"""Version, name and events are for the contract to say."""

from __future__ import annotations
from ramet import Contract


class Stock(Contract, version="1.0.0"): ...


class StockService(Stock, version="2.0.0"): ...
