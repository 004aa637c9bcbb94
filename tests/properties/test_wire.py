"""The protocol: the same events whatever pieces the bytes come in, and nothing worse than an end whatever they are."""

from __future__ import annotations

import tracemalloc

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ramet.telemetry.context import Caller, Context
from ramet.transport.base import Call
from ramet.transport.wire.framing import HEAD_BYTES, PING, REPLIES, REPLY, REQUESTS, Frames, framed
from ramet.transport.wire.messages import Calls, Hello, Welcome
from ramet.transport.wire.protocol import BROKEN, LAST_NUMBER, AnswererWire, CallerWire, Event, Wire

MOST = 5000
names = st.text(max_size=20)
callers = st.builds(Caller, subject=names, tenant=st.none() | names, roles=st.frozensets(names, max_size=3))
contexts = st.builds(
    Context,
    execution=st.text(min_size=1, max_size=32),
    trace=st.text(min_size=1, max_size=32),
    deadline=st.just(float("inf")) | st.integers(min_value=1, max_value=10**6).map(float),
    caller=st.none() | callers,
    tenant=st.none() | names,
    region=st.none() | names,
    baggage=st.dictionaries(names, names, max_size=3),
)
calls = st.builds(
    Call,
    method=names,
    arguments=st.binary(max_size=300),
    context=contexts,
    key=st.none() | names,
    withdraw=st.booleans(),
    fresh=st.booleans(),
)
numbers = st.integers(min_value=0, max_value=2**64 - 1)
firsts = st.integers(min_value=0, max_value=LAST_NUMBER)
moments = st.floats(allow_nan=False)
cuts = st.lists(st.integers(min_value=1, max_value=200), min_size=1)


def opened() -> tuple[CallerWire, AnswererWire]:
    caller, answerer = CallerWire(MOST), AnswererWire(MOST)
    ((_, _, hello),) = answerer.receive(caller.hello(application="shop", name="", token=b""))
    assert [*caller.receive(answerer.welcome(hello, Welcome(version=1, frame_limit_bytes=MOST), None, 0))]
    return caller, answerer


def in_pieces(stream: bytes, sizes: list[int]) -> list[bytes]:
    """The stream cut into these sizes, over and over."""
    pieces, at, turn = [], 0, 0
    while at < len(stream):
        pieces.append(stream[at : at + sizes[turn % len(sizes)]])
        at += sizes[turn % len(sizes)]
        turn += 1
    return pieces


def all_of(wire: Wire, pieces: list[bytes]) -> list[Event]:
    return [event for piece in pieces for event in wire.receive(piece)]


@given(st.lists(st.tuples(firsts, moments, st.lists(calls, max_size=4)), max_size=8), cuts)
def test_requests_are_the_same_in_any_pieces(sent: list[tuple[int, float, list[Call]]], sizes: list[int]) -> None:
    caller, answerer = opened()
    frames = [caller.requests(number, together, now) for number, now, together in sent]
    events = all_of(answerer, in_pieces(b"".join(frame for frame in frames if frame), sizes))
    assert events == [
        (REQUESTS, number, Calls(now, together))
        for (number, now, together), frame in zip(sent, frames, strict=True)
        if frame
    ]


@given(st.lists(st.tuples(numbers, st.binary(max_size=99))), cuts)
def test_replies_that_travel_together_are_the_same_in_any_pieces(
    answers: list[tuple[int, bytes]], sizes: list[int]
) -> None:
    caller, answerer = opened()
    replies = answerer.replies(answers)
    assert replies is not None
    assert all_of(caller, in_pieces(replies, sizes)) == [(REPLIES, 0, answers)]


@given(st.lists(st.tuples(firsts, st.binary(max_size=500)), max_size=8), cuts)
def test_replies_are_the_same_in_any_pieces(sent: list[tuple[int, bytes]], sizes: list[int]) -> None:
    caller, answerer = opened()
    stream = b"".join(answerer.reply(number, answer) for number, answer in sent)
    assert all_of(caller, in_pieces(stream, sizes)) == [(REPLY, number, answer) for number, answer in sent]


garbage = st.binary(max_size=400) | st.lists(
    st.builds(
        framed,
        st.integers(min_value=0, max_value=255),
        numbers,
        st.binary(max_size=60)
        | (st.tuples(moments, st.lists(calls)) | st.lists(st.tuples(numbers, st.binary()))).map(msgspec.msgpack.encode),
    ),
    max_size=6,
).map(b"".join)


@given(garbage, cuts, st.booleans(), st.booleans())
def test_any_bytes_end_in_events_or_in_one_sentence_and_the_pieces_do_not_matter(
    stream: bytes, sizes: list[int], open_: bool, calling: bool
) -> None:
    def side() -> Wire:
        if open_:
            caller, answerer = opened()
            return caller if calling else answerer
        return CallerWire(MOST) if calling else AnswererWire(MOST)

    whole, cut = side(), side()
    events = [*whole.receive(stream)]
    assert all_of(cut, in_pieces(stream, sizes)) == events
    broken = [kind for kind, _, _ in events].count(BROKEN)
    assert broken == whole.broken <= 1
    if broken:
        assert events[-1][0] == BROKEN
        assert not [*whole.receive(framed(PING, 1))]


@given(st.binary(max_size=300))
def test_a_hello_of_anybody_is_read_or_breaks_the_connection(body: bytes) -> None:
    ((kind, _, value),) = AnswererWire(MOST).receive(framed(1, 0, body))
    assert isinstance(value, Hello) or kind == BROKEN


@given(st.integers(min_value=MOST + 1, max_value=2**32 - 1), st.integers(min_value=1, max_value=50))
def test_a_frame_that_only_announces_itself_takes_no_memory(announced: int, pieces: int) -> None:
    head = framed(REQUESTS, 1, b"")[4:HEAD_BYTES]
    tracemalloc.start()
    try:
        frames = Frames(2**32)
        frames.split(announced.to_bytes(4) + head)
        for _ in range(pieces):
            frames.split(b"x")
        assert tracemalloc.get_traced_memory()[1] < 10_000
    finally:
        tracemalloc.stop()


def test_a_stream_without_an_end_is_taken_apart_without_growing() -> None:
    _, answerer = opened()
    caller, _ = opened()
    stream = b"".join(caller.request(n, Call("a.b", b"x" * 100, Context.root("e")), 0.0) for n in range(500))
    tracemalloc.start()
    try:
        for at in range(0, len(stream), 1000):
            assert all(kind == REQUESTS for kind, _, _ in answerer.receive(stream[at : at + 1000]))
        first = tracemalloc.get_traced_memory()[0]
        for _ in range(20):
            for at in range(0, len(stream), 1000):
                assert all(kind == REQUESTS for kind, _, _ in answerer.receive(stream[at : at + 1000]))
        assert tracemalloc.get_traced_memory()[0] - first < 5000
    finally:
        tracemalloc.stop()
