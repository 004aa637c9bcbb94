"""What every transport carries: one question, whose answer is small, or 100 KB of lines, or a picture of 100 KB."""

from __future__ import annotations

from hashlib import shake_128
from typing import Any

import msgspec

from ramet import Contract, Struct, query

METHOD = "stock.level"
SECONDS = 5.0
PICTURE = shake_128().digest(100_000)
NOTE = "on the third shelf from the left"


class Asked(Struct):
    """What is asked: this many lines, or the `whole` as a picture."""

    sku: str
    quantity: int
    count: int = 1
    whole: bool = False


class Line(Struct):
    """One line of the answer."""

    sku: str
    quantity: int
    price: float
    note: str


class Level(Struct):
    """The answer."""

    lines: tuple[Line, ...] = ()
    picture: bytes = b""


class Stock(Contract, version="1.0.0"):
    """The same, as a contract."""

    @query
    async def level(self, asked: Asked) -> Level: ...


SMALL = Asked(sku="chair", quantity=7)
LARGE = Asked(sku="chair", quantity=7, count=1_270)
IMAGE = Asked(sku="chair", quantity=7, whole=True)

encode = msgspec.msgpack.encode
read_asked = msgspec.msgpack.Decoder(Asked).decode
read_level = msgspec.msgpack.Decoder(Level).decode


def answer(asked: Asked) -> Level:
    """What anybody answers; it is made anew each time, as an answer is."""
    if asked.whole:
        return Level(picture=PICTURE)
    return Level(
        lines=tuple([Line(sku=asked.sku, quantity=asked.quantity, price=9.5, note=NOTE) for _ in range(asked.count)])
    )


def answer_bytes(asked: bytes) -> bytes:
    """The same, decoded and encoded as MessagePack, for those who carry bytes."""
    return encode(answer(read_asked(asked)))


def is_right(asked: Asked, level: Any) -> bool:
    """Whether this is the answer; it looks at each line, as somebody would who asks."""
    if asked.whole:
        return len(level.picture) == len(PICTURE)
    return sum(line.quantity for line in level.lines) == asked.quantity * asked.count
