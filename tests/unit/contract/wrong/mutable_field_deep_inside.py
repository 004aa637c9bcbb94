#: 9: Note.words: list[str] is mutable, so caller and callee could change it under each other's hands. Use tuple[str, ...].
"""A mutable field three structs deep is found, and its path is named."""

from __future__ import annotations
from ramet import Contract, Struct, command


class Note(Struct):
    words: list[str]


class Line(Struct):
    notes: tuple[Note, ...] = ()


class Order(Struct):
    lines: tuple[Line, ...]


class Stock(Contract, version="1.0.0"):
    @command
    async def reserve(self, order: Order | None) -> None: ...


class StockService(Stock):
    async def reserve(self, order: Order | None) -> None: ...
