"""The server's bytes in any pieces: each statement is given its own answer, and asyncpg everything else, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from struct import pack

from hypothesis import given
from hypothesis import strategies as st

from ramet.storage.postgres.pipeline import Pipeline, Sent


def message(kind: bytes, body: bytes) -> bytes:
    return kind + pack("!I", len(body) + 4) + body


READY = message(b"Z", b"I")
news = st.builds(
    message, st.sampled_from([b"N", b"S", b"A"]), st.binary(max_size=20) | st.just(READY) | st.just(READY * 2)
)
rows = st.builds(message, st.just(b"D"), st.binary(max_size=40) | st.just(b"x" + READY))
results = st.lists(rows | news, max_size=4).map(lambda parts: b"".join(parts) + READY)
idle = st.lists(news, max_size=2).map(b"".join)
tags = st.lists(st.integers(min_value=0, max_value=2**31 - 1), max_size=3)
turns = st.lists(st.tuples(results | st.just(b""), idle, idle, tags), min_size=1, max_size=4)
cuts = st.lists(st.integers(min_value=1, max_value=60), min_size=1)


class Wire:
    """Stands for a connection of asyncpg: for its protocol, which reads, and its transport, which is told."""

    def __init__(self) -> None:
        self._protocol = self._transport = self
        self.read = b""

    def data_received(self, data: bytes) -> None:
        self.read += data

    def set_protocol(self, protocol: object) -> None:
        pass

    def write(self, data: bytes) -> None:
        pass

    def is_closed(self) -> bool:
        return False


def answer(numbers: Iterable[int], among: bytes) -> bytes:
    found = [message(b"D", pack("!HII", 1, 4, number)) for number in numbers]
    return b"".join((message(b"2", b""), *found, among, message(b"C", b"COMMIT\0"), READY))


@given(turns, cuts)
def test_everybody_is_given_what_is_theirs(
    turns: list[tuple[bytes, bytes, bytes, list[int]]], sizes: list[int]
) -> None:
    async def scene() -> None:
        wire = Wire()
        pipeline = Pipeline(wire, 30)
        stream, theirs, read, begins = b"", b"", list[int](), list[int]()
        for result, before, among, numbers in turns:
            read.append(len(stream + result))
            stream += result + before
            begins.append(len(stream))
            stream += answer(numbers, among)
            theirs += result + before + among
        sent, at, turn = list[Sent](), 0, 0
        while at < len(stream):
            after = min([at + sizes[turn % len(sizes)], *(end for end in read if end > at)])
            while len(sent) < len(begins) and begins[len(sent)] < after:
                sent.append(pipeline.send())
            pipeline.data_received(stream[at:after])
            at, turn = after, turn + 1
        assert all(one.done.done() for one in sent)
        assert [one.tags for one in sent] == [numbers for *_, numbers in turns]
        assert {one.status for one in sent} == {b"COMMIT"}
        assert wire.read == theirs

    asyncio.run(scene())
