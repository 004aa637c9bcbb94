#: 8: The contract Stock has the name "The stock". Write lower-case letters, digits and hyphens, such as "order-book".
"""A name stands in files, addresses and topics."""

from __future__ import annotations
from ramet import Contract


class Stock(Contract, name="The stock", version="1.0.0"): ...


class StockService(Stock): ...
