"""What is written in one turn leaves together: the head of an answer with its body."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from ramet.http.connection import Gathering

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"


class Wire(asyncio.Transport):
    """Writes down what it is given, and None for its end."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes | None] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent.append(bytes(data))

    def close(self) -> None:
        self.sent.append(None)


@pytest.fixture
async def wire() -> Wire:
    return Wire()


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ([HEAD, b"body"], [HEAD + b"body"]),
        ([HEAD, b"a", b"b"], [HEAD + b"a", b"b"]),
        ([HEAD], [HEAD]),
        ([HEAD, b""], [HEAD]),
        ([HEAD, HEAD, b"body"], [HEAD + HEAD, b"body"]),
        ([HEAD, b"x" * 70_000], [HEAD, b"x" * 70_000]),
        ([b"body"], [b"body"]),
    ],
)
async def test_a_head_leaves_with_what_follows_it(wire: Wire, given: Sequence[bytes], sent: Sequence[bytes]) -> None:
    gathering = Gathering(wire, asyncio.get_running_loop())
    for piece in given:
        gathering.write(piece)
    await asyncio.sleep(0)
    assert wire.sent == sent


async def test_a_head_leaves_before_the_end(wire: Wire) -> None:
    gathering = Gathering(wire, asyncio.get_running_loop())
    gathering.write(HEAD)
    gathering.close()
    await asyncio.sleep(0)
    assert wire.sent == [HEAD, None]


async def test_in_all_else_it_is_the_transport(wire: Wire) -> None:
    gathering = Gathering(wire, asyncio.get_running_loop())
    assert gathering.get_extra_info("peername", "nobody") == "nobody"
