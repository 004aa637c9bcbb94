#: 9: Line is a mutable struct. Declare it as `class Line(ramet.Struct)`.
"""A msgspec.Struct is mutable unless it says otherwise."""

from __future__ import annotations
import msgspec
from ramet import Contract, command


class Line(msgspec.Struct):
    sku: str


class Stock(Contract, version="1.0.0"):
    @command
    async def put(self, line: Line) -> None: ...


class StockService(Stock):
    async def put(self, line: Line) -> None: ...
