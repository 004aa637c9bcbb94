"""What every transport carries: a small request with a small answer, or with one of 100 KB; under a deadline."""

from __future__ import annotations

from hashlib import shake_128

METHOD = "stock.level"
SMALL = b"\x92\xa5chair\x07" + b"." * 40
LARGE = b"L" + SMALL[1:]
ANSWER = shake_128().digest(100_000)
SECONDS = 5.0


def answer(asked: bytes) -> bytes:
    """What anybody answers to these bytes."""
    return ANSWER if asked[:1] == b"L" else asked
