"""The protocol without a connection: one side's bytes are the other's events."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable
from hashlib import shake_128

import msgspec
import pytest
from msgspec.structs import replace

from ramet.errors import CallError, InvalidArguments
from ramet.telemetry.context import Context
from ramet.transport.base import Call
from ramet.transport.compression import Zstandard
from ramet.transport.wire.framing import (
    CANCEL,
    COMPRESSED,
    GOAWAY,
    HELLO,
    PING,
    PONG,
    REFUSED,
    REPLIES,
    REPLY,
    REQUESTS,
    TROUBLE,
    WELCOME,
    framed,
)
from ramet.transport.wire.messages import TOGETHER, VERSIONS, Calls, Hello, Trouble, Welcome
from ramet.transport.wire.protocol import BROKEN, AnswererWire, CallerWire, common_version

MOST = 100_000
NOW = 100.0
CALL = Call("shop.ask", b"arguments", Context.root("e", deadline=102.0))


def pair(*, compressed_from: int | None = None, theirs: int = MOST) -> tuple[CallerWire, AnswererWire]:
    """Two sides that have shaken hands."""
    compression = Zstandard() if compressed_from is not None else None
    caller = CallerWire(MOST, compression, compressed_from or 0)
    answerer = AnswererWire(theirs)
    ((kind, _, hello),) = answerer.receive(caller.hello(application="shop", name="orders", token=b"token"))
    assert kind == HELLO
    assert (hello.application, hello.name, hello.token) == ("shop", "orders", b"token")
    welcome = Welcome(version=1, compression="zstd" if compression else "", frame_limit_bytes=theirs, calls_limit=9)
    sent = answerer.welcome(hello, welcome, compression, compressed_from or 0)
    assert [*caller.receive(sent)] == [(WELCOME, 0, welcome)]
    return caller, answerer


def broken(events: Iterable[tuple[int, int, object]]) -> str:
    *_, (kind, _, sentence) = events
    assert kind == BROKEN
    return str(sentence)


def test_a_call_and_its_answer_travel() -> None:
    caller, answerer = pair()
    assert [*answerer.receive(caller.request(5, CALL, NOW))] == [(REQUESTS, 5, Calls(NOW, [CALL]))]
    assert [*caller.receive(answerer.reply(5, b"answer"))] == [(REPLY, 5, b"answer")]


def test_several_calls_and_answers_travel_together() -> None:
    caller, answerer = pair()
    calls = [CALL, replace(CALL, key="other")]
    assert [*answerer.receive(caller.requests(5, calls, NOW) or b"")] == [(REQUESTS, 5, Calls(NOW, calls))]
    answers = [(5, b"five"), (7, b"seven")]
    assert [*caller.receive(answerer.replies(answers) or b"")] == [(REPLIES, 0, answers)]


def test_no_more_travel_together_than_the_other_side_takes() -> None:
    caller, answerer = pair(theirs=1000)
    assert caller.requests(0, [CALL] * 100, NOW) is None
    assert answerer.replies([(number, b"x" * 100) for number in range(100)]) is None
    caller, answerer = pair()
    body = msgspec.msgpack.encode([(number, b"") for number in range(TOGETHER + 1)])
    assert "length <= 1024" in broken(caller.receive(framed(REPLIES, 0, body)))
    body = msgspec.msgpack.encode(Calls(NOW, [CALL] * (TOGETHER + 1)))
    assert "length <= 1024" in broken(answerer.receive(framed(REQUESTS, 0, body)))


@pytest.mark.parametrize("number", [-1, "1", 1.5])
def test_a_number_among_several_is_one_that_a_head_can_have(number: object) -> None:
    body = msgspec.msgpack.encode([(number, b"answer")])
    assert "cannot be read" in broken(pair()[0].receive(framed(REPLIES, 0, body)))


def test_those_that_travel_together_have_numbers_that_a_head_can_have() -> None:
    caller, answerer = pair()
    assert [*answerer.receive(caller.request(2**64 - TOGETHER, CALL, NOW))]
    assert "is the last one" in broken(answerer.receive(caller.request(2**64 - 1, CALL, NOW)))


def test_a_call_that_says_what_is_no_text_is_refused_before_it_is_sent() -> None:
    caller, _ = pair()
    odd = replace(CALL, key="\udc80")
    with pytest.raises(InvalidArguments, match=r"^shop\.ask: the call cannot be sent: "):
        caller.request(1, odd, NOW)
    assert caller.requests(1, [CALL, odd], NOW) is None


def test_trouble_cancelling_and_going_away_travel() -> None:
    caller, answerer = pair()
    assert [*caller.receive(answerer.trouble(3, "denied", "No."))] == [(TROUBLE, 3, Trouble("denied", "No."))]
    assert [*caller.receive(answerer.goaway())] == [(GOAWAY, 0, b"")]
    assert [*answerer.receive(caller.cancel(3))] == [(CANCEL, 3, b"")]


def test_both_sides_may_ask_whether_the_other_is_there() -> None:
    caller, answerer = pair()
    assert [*answerer.receive(caller.ping(4))] == [(PING, 4, b"")]
    assert [*caller.receive(answerer.ping(4))] == [(PING, 4, b"")]
    assert [*caller.receive(answerer.pong(4))] == [(PONG, 4, b"")]


def test_a_refusal_comes_instead_of_a_welcome() -> None:
    caller, answerer = CallerWire(MOST), AnswererWire(MOST)
    assert [*answerer.receive(caller.hello(application="", name="", token=b""))]
    assert [*caller.receive(answerer.refuse("denied", "No."))] == [(REFUSED, 0, Trouble("denied", "No."))]
    assert not caller.is_open


def test_the_best_version_that_both_speak_is_taken() -> None:
    assert common_version(Hello(versions=(*VERSIONS, 99))) == VERSIONS[-1]
    assert common_version(Hello(versions=(99,))) is None


def test_a_version_that_the_caller_does_not_speak_breaks_the_connection() -> None:
    caller, answerer = CallerWire(MOST), AnswererWire(MOST)
    sent = answerer.welcome(Hello(versions=(99,)), Welcome(version=99), None, 0)
    assert "version 99" in broken(caller.receive(sent))


def test_a_compression_that_was_not_offered_breaks_the_connection() -> None:
    caller, answerer = CallerWire(MOST), AnswererWire(MOST)
    sent = answerer.welcome(Hello(versions=(1,)), Welcome(version=1, compression="zstd"), None, 0)
    assert "was not offered" in broken(caller.receive(sent))


@pytest.mark.parametrize("frame", [framed(REQUESTS, 1), framed(PING, 1), framed(CANCEL, 1), framed(HELLO, 0) * 2])
def test_nothing_but_one_hello_may_come_before_the_handshake(frame: bytes) -> None:
    answerer = AnswererWire(MOST)
    broken(answerer.receive(frame))


def test_a_second_hello_breaks_the_connection_before_and_after_the_first_is_answered() -> None:
    hello = CallerWire(MOST).hello(application="", name="", token=b"")
    assert broken(AnswererWire(MOST).receive(hello * 2)) == "a second hello came"
    assert "after the handshake" in broken(pair()[1].receive(hello))


@pytest.mark.parametrize("kind", [WELCOME, REPLY, REPLIES, TROUBLE, GOAWAY, 99])
def test_an_answerer_takes_no_answers(kind: int) -> None:
    assert f"of kind {kind} " in broken(pair()[1].receive(framed(kind, 1)))


@pytest.mark.parametrize("kind", [HELLO, REQUESTS, CANCEL, 99])
def test_a_caller_takes_no_requests(kind: int) -> None:
    assert f"of kind {kind} " in broken(pair()[0].receive(framed(kind, 1)))


@pytest.mark.parametrize("kind", [CANCEL, PING, PONG])
def test_what_has_no_body_may_not_bring_one(kind: int) -> None:
    assert "with a body" in broken(pair()[1].receive(framed(kind, 1, b"x")))


def test_what_came_before_the_mistake_is_still_an_event_and_nothing_after_it() -> None:
    caller, answerer = pair()
    one, three = (caller.request(number, CALL, NOW) for number in (1, 3))
    events = [*answerer.receive(one + framed(REQUESTS, 2, b"\xc1") + three)]
    assert [(kind, number) for kind, number, _ in events] == [(REQUESTS, 1), (BROKEN, 0)]
    assert [*answerer.receive(caller.request(4, CALL, NOW))] == []


def test_nobody_may_send_much_before_he_is_let_in() -> None:
    assert "65536 are the most" in broken(AnswererWire(MOST).receive(framed(HELLO, 0, b"x" * 65_537)))
    with pytest.raises(InvalidArguments, match="too large to introduce"):
        CallerWire(MOST).hello(application="", name="", token=b"x" * 70_000)


def test_a_call_that_is_too_large_is_refused_before_it_is_sent() -> None:
    caller, _ = pair()
    with pytest.raises(InvalidArguments, match=r"^shop\.ask: a call of \d+ bytes is too large"):
        caller.request(1, replace(CALL, arguments=b"x" * MOST), NOW)


def test_the_smaller_limit_of_the_two_sides_counts() -> None:
    caller, answerer = pair(theirs=1000)
    with pytest.raises(InvalidArguments, match="1000 are the most"):
        caller.request(1, replace(CALL, arguments=b"x" * 1000), NOW)
    with pytest.raises(CallError, match="it was executed, but its answer of 1001 bytes"):
        answerer.reply(1, b"x" * 1001)


def test_large_bodies_are_compressed_where_that_was_agreed_on() -> None:
    caller, answerer = pair(compressed_from=1000)
    sent = caller.request(1, replace(CALL, arguments=b"x" * 50_000), NOW)
    assert len(sent) < 500
    ((_, _, requests),) = answerer.receive(sent)
    assert requests.calls[0].arguments == b"x" * 50_000
    answer = answerer.reply(1, b"y" * 50_000)
    assert len(answer) < 500
    assert [*caller.receive(answer)] == [(REPLY, 1, b"y" * 50_000)]


def test_small_bodies_and_those_that_get_no_smaller_are_sent_as_they_are() -> None:
    _, answerer = pair(compressed_from=1000)
    small, noise = b"x" * 999, shake_128().digest(5000)
    assert answerer.reply(1, small) == framed(REPLY, 1, small)
    assert answerer.reply(1, noise) == framed(REPLY, 1, noise)


def test_a_compressed_body_without_an_agreement_breaks_the_connection() -> None:
    assert "no compression was agreed on" in broken(pair()[0].receive(framed(REPLY | COMPRESSED, 1, b"x")))


def test_a_bomb_breaks_the_connection() -> None:
    caller, _ = pair(compressed_from=1000)
    bomb = Zstandard().compress(b"\0" * (MOST + 1))
    assert f"holds {MOST + 1} bytes, and {MOST} are the most" in broken(
        caller.receive(framed(REPLY | COMPRESSED, 1, bomb))
    )


def test_of_many_bombs_in_one_piece_one_is_in_memory_at_a_time() -> None:
    caller, answerer = pair(compressed_from=1000)
    piece = caller.request(1, replace(CALL, arguments=b"x" * 99_000), NOW) * 100
    tracemalloc.start()
    try:
        assert [len(requests.calls[0].arguments) for _, _, requests in answerer.receive(piece)] == [99_000] * 100
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
