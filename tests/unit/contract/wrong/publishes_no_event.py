#: 23: Stock publishes 'Gone', which is not an Event. Name a class that is one: `class …(Event)`.
#: 23: Stock publishes Sold, which is not an Event. Declare `class Sold(Event)`.
#: 23: Stock publishes two different events called Bought. Give one another name: subscribers tell them apart by it.
"""Only events are published, each under its own name."""

from __future__ import annotations
from ramet import Contract, Event, Struct


class Sold(Struct):
    sku: str


class Bought(Event):
    sku: str


class Elsewhere:
    class Bought(Event):
        sku: str


class Stock(Contract, version="1.0.0", publishes=(Sold, "Gone", Bought, Elsewhere.Bought)): ...


class StockService(Stock): ...
