#: 18: Payments.pay: the parameter "by": Card | Invoice: a receiver cannot tell its alternatives apart. Make each a tagged Struct, which says what it is: `class …(Struct, tag=True)`.
"""A receiver cannot tell two untagged structs apart."""

from __future__ import annotations
from ramet import Contract, Struct, command


class Card(Struct):
    number: str


class Invoice(Struct):
    address: str


class Payments(Contract, version="1.0.0"):
    @command
    async def pay(self, by: Card | Invoice) -> None: ...


class PaymentsService(Payments):
    async def pay(self, by: Card | Invoice) -> None: ...
