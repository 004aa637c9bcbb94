"""Whatever may cross a boundary comes out as it went in."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ramet.contract.codec import MethodCodec
from ramet.contract.declared import NO_DEFAULT, DeclaredMethod
from ramet.contract.reading.types import complaints
from ramet.errors import CallError, InvalidArguments, RametError, Refusal
from tests.properties.sendable import SENDABLE, SENDABLE_WITH_VALUE, Sendable

QUICK = settings(max_examples=200, deadline=None)


async def nothing() -> None: ...


def codec_of(*hints: Any, result: Any = None, refuses: tuple[type[Refusal], ...] = ()) -> MethodCodec:
    parameters = tuple((f"p{number}", hint, NO_DEFAULT) for number, hint in enumerate(hints))
    return MethodCodec(
        DeclaredMethod(
            name="m", kind="command", function=nothing, parameters=parameters, result=result, refuses=refuses
        )
    )


@QUICK
@given(SENDABLE)
def test_a_type_that_may_cross_has_no_complaint(sendable: Sendable) -> None:
    assert list(complaints(sendable[0])) == []


@QUICK
@given(st.lists(SENDABLE_WITH_VALUE, max_size=3))
def test_arguments_come_back_as_they_were(given_: list[tuple[Any, Any]]) -> None:
    codec = codec_of(*(hint for hint, _ in given_))
    values = tuple(value for _, value in given_)
    back = codec.decode_arguments(codec.encode_arguments(values, {}))
    assert back == values
    assert [type(value) for value in back] == [type(value) for value in values]
    by_name = {f"p{number}": value for number, value in enumerate(values)}
    assert codec.decode_arguments(codec.encode_arguments((), by_name)) == values


@QUICK
@given(SENDABLE_WITH_VALUE)
def test_a_result_comes_back_as_it_was(pair: tuple[Any, Any]) -> None:
    hint, value = pair
    codec = codec_of(result=hint)
    assert codec.decode_answer(codec.encode_result(value)) == value
    assert codec.decode_value(codec.encode_value(value)) == value


@QUICK
@given(SENDABLE_WITH_VALUE)
def test_a_refusal_comes_back_with_its_facts(pair: tuple[Any, Any]) -> None:
    hint, value = pair

    class Refused(Refusal):
        why: object

    Refused.__annotations__["why"] = hint
    codec = codec_of(refuses=(Refused,))
    with pytest.raises(Refused) as caught:
        codec.decode_answer(codec.encode_error(Refused(why=value)))
    assert caught.value == Refused(why=value)
    assert codec.decode_refusal(codec.encode_refusal(Refused(why=value))) == Refused(why=value)


@QUICK
@given(SENDABLE_WITH_VALUE)
def test_plain_json_by_name_becomes_the_same_arguments(pair: tuple[Any, Any]) -> None:
    hint, value = pair
    plain = msgspec.json.decode(msgspec.json.encode({"p0": value}))
    assert codec_of(hint).convert_arguments(plain) == {"p0": msgspec.json.decode(msgspec.json.encode(value), type=hint)}


@QUICK
@given(SENDABLE, st.binary(max_size=20))
def test_other_bytes_end_with_an_error_of_ours(sendable: Sendable, data: bytes) -> None:
    codec = codec_of(sendable[0], result=sendable[0])
    with contextlib.suppress(InvalidArguments):
        codec.decode_arguments(data)
    with contextlib.suppress(RametError):
        codec.decode_answer(data)
    with contextlib.suppress(CallError):
        codec.decode_value(data)
