#: 10: Line is a mutable dataclass. Add `frozen=True`, or make it a ramet.Struct.
"""So is a dataclass."""

from __future__ import annotations
from dataclasses import dataclass
from ramet import Contract, command


@dataclass
class Line:
    sku: str


class Stock(Contract, version="1.0.0"):
    @command
    async def put(self, line: Line) -> None: ...


class StockService(Stock):
    async def put(self, line: Line) -> None: ...
