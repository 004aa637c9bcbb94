#: 10: Request.day: date | str: a receiver cannot tell its alternatives apart. Make a Struct with an optional field for each alternative.
"""Nor a date from a text, once they are encoded; also inside a struct."""

from __future__ import annotations
from datetime import date
from ramet import Contract, Struct, command


class Request(Struct):
    day: date | str


class Calendar(Contract, version="1.0.0"):
    @command
    async def book(self, request: Request) -> None: ...


class CalendarService(Calendar):
    async def book(self, request: Request) -> None: ...
