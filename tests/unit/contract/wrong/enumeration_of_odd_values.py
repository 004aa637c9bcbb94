#: 22: Stock.put: the parameter "extras": Extras is a Flag, whose combinations have no name. Use a frozenset of an Enum.
#: 22: Stock.put: the parameter "size": Size: its members are neither all strings nor all whole numbers. Give them values of one kind.
"""An enumeration whose members are neither all strings nor all whole numbers, and a Flag."""

from __future__ import annotations
import enum
from ramet import Contract, command


class Size(enum.Enum):
    SMALL = 0.5
    LARGE = 1.5


class Extras(enum.Flag):
    GIFT = 1
    EXPRESS = 2


class Stock(Contract, version="1.0.0"):
    @command
    async def put(self, size: Size, extras: Extras) -> None: ...


class StockService(Stock):
    async def put(self, size: Size, extras: Extras) -> None: ...
