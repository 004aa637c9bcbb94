"""Calls as bytes and back."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from ramet.errors import CallError, Denied, InternalError, Unavailable
from ramet.telemetry.context import Caller, Context
from ramet.transport.base import Call
from ramet.transport.wire.messages import (
    UNREADABLE,
    Calls,
    Trouble,
    by_proof,
    error_of,
    put_off,
    read_calls,
    read_hello,
    weight,
)

FULL = Context(
    execution="e" * 32,
    trace="t" * 32,
    deadline=107.0,
    caller=Caller(subject="ada", tenant="acme", roles=frozenset({"admin"})),
    tenant="acme",
    region="eu",
    baggage={"flag": "on"},
)


def written(call: Call) -> bytes:
    return msgspec.msgpack.encode(Calls(100.0, [call]))


def read_call(body: bytes) -> Call:
    (call,) = read_calls(body).calls
    return call


@pytest.mark.parametrize(
    "call",
    [
        Call("shop.ask", b"", Context(execution="e", trace="t", deadline=107.0)),
        Call("shop.ask", b"\x93\x01", Context.root("e", deadline=107.0), "key"),
        Call("shop.ask", b"\x93\x01", FULL, "key", withdraw=True),
        Call("shop.ask", b"\x93\x01", FULL),
        Call("shop.ask", b"", Context.root("e")),
    ],
)
def test_a_call_arrives_as_it_was_sent(call: Call) -> None:
    assert read_calls(written(call)) == Calls(100.0, [call])


def test_the_deadline_of_a_call_that_has_come_is_made_one_of_the_own_clock() -> None:
    for deadline, own in ((107.0, 27.0), (float("inf"), float("inf"))):
        arrived = read_call(written(Call("shop.ask", b"", Context.root("e", deadline=deadline))))
        put_off(arrived, 20.0 - 100.0)
        assert arrived.context.deadline == own


def test_with_the_proof_of_a_caller_nothing_else_of_it_travels() -> None:
    call = Call("shop.ask", b"", replace(FULL, proof="signed"))
    assert by_proof(call).context == replace(FULL, proof="signed", caller=None)


def test_an_ordinary_call_is_small() -> None:
    assert len(written(Call("shop.ask", b"", Context.root("e" * 32, deadline=1.0), "k" * 32))) < 150


@pytest.mark.parametrize(
    "heavy",
    [
        Call("m", b"x" * 9000, Context.root("e")),
        Call("m" * 9000, b"", Context.root("e")),
        Call("m", b"", Context.root("e"), "k" * 9000),
        Call("m", b"", replace(FULL, proof="p" * 9000)),
        Call("m", b"", replace(FULL, baggage={"flag": "x" * 9000})),
        Call("m", b"", replace(FULL, baggage={str(number): "" for number in range(60)})),
    ],
)
def test_whatever_is_large_in_a_call_has_its_weight(heavy: Call) -> None:
    assert 9000 <= weight(heavy) < 12_000


@pytest.mark.parametrize(
    "body", [b"", b"\xc1", b"\x90", b"\x94\x01\x02\x03\x04", b"\x94\xa1\xff\xc4\x00\xc0\xa1e", b"\x92\x01\x91\xc0"]
)
def test_what_is_no_request_cannot_be_read(body: bytes) -> None:
    with pytest.raises(UNREADABLE):
        read_calls(body)


def test_a_hello_of_a_later_version_can_be_read() -> None:
    assert read_hello(b"\x82\xa8versions\x91\x09\xa5later\xc3").versions == (9,)


@pytest.mark.parametrize(
    ("code", "kind"), [("unavailable", Unavailable), ("denied", Denied), ("unheard-of", CallError)]
)
def test_trouble_becomes_the_error_of_its_code(code: str, kind: type[Exception]) -> None:
    error = error_of(Trouble(code, "Why."), "shop.ask")
    assert type(error) is kind
    assert str(error) == "Why."


def test_a_failure_names_its_mark_and_what_was_called() -> None:
    error = error_of(Trouble("failed", "mark"), "shop.ask")
    assert isinstance(error, InternalError)
    assert (error.id, error.where) == ("mark", "shop.ask")


def test_nothing_of_a_request_is_shared_between_two() -> None:
    one, two = (read_call(b"\x92\x01\x91\x93\xa1m\xc4\x00\x92\xa1e\xa1t") for _ in range(2))
    assert one.context.baggage is not two.context.baggage
