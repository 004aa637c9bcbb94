"""What travels between versions, and what cannot travel."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ramet.contract.codec import MethodCodec
from ramet.contract.declared import NO_DEFAULT, DeclaredMethod
from ramet.errors import (
    CallError,
    DeadlineExceeded,
    Denied,
    InternalError,
    InvalidArguments,
    NoSuchMethod,
    NotFound,
    OutcomeUnknown,
    Overloaded,
    RametError,
    Refusal,
    Unauthenticated,
    Unavailable,
)


class OutOfStock(Refusal):
    """There is no {sku}."""

    sku: str
    left: int = 0


class SoldToday(OutOfStock):
    until: str = "tomorrow"


async def reserve() -> None: ...


def codec(
    *parameters: tuple[str, Any, Any], result: Any = None, refuses: tuple[type[Refusal], ...] = ()
) -> MethodCodec:
    method = DeclaredMethod(
        name="reserve", kind="command", function=reserve, parameters=parameters, result=result, refuses=refuses
    )
    return MethodCodec(method)


OLD = codec(("sku", str, NO_DEFAULT))
NEW = codec(("sku", str, NO_DEFAULT), ("count", int, 1), ("note", str | None, None))


def test_a_parameter_added_with_a_default_may_be_left_out_by_an_older_caller() -> None:
    assert NEW.decode_arguments(OLD.encode_arguments(("tea",), {})) == ("tea", 1, None)


def test_a_parameter_added_by_a_newer_caller_is_ignored_by_an_older_service() -> None:
    assert OLD.decode_arguments(NEW.encode_arguments(("tea", 5), {})) == ("tea",)


def test_an_argument_that_is_missing_is_named() -> None:
    with pytest.raises(InvalidArguments, match=r"reserve: .*sku"):
        OLD.encode_arguments((), {})
    with pytest.raises(InvalidArguments, match=r"reserve: Expected `array` of at least length 1, got 0\."):
        OLD.decode_arguments(b"\x90")


def test_too_many_arguments_are_refused() -> None:
    with pytest.raises(InvalidArguments, match="takes 1 arguments, and 2 were given"):
        OLD.encode_arguments(("tea", 2), {})


def test_an_argument_of_the_wrong_type_is_refused_where_it_arrives() -> None:
    with pytest.raises(InvalidArguments, match=r'the argument "sku": Expected `str`, got `int`\.$'):
        OLD.decode_arguments(OLD.encode_arguments((1,), {}))  # a wrong call, as a program without types makes it


@pytest.mark.parametrize("value", [object(), 2**64, -(2**63) - 1, "\ud800", {1: object}])
def test_what_cannot_be_encoded_is_said(value: object) -> None:
    with pytest.raises(InvalidArguments, match=r"^reserve: .*\.$"):
        OLD.encode_arguments((value,), {})


def test_a_required_parameter_may_follow_an_optional_one_by_name() -> None:
    mixed = codec(("first", int, 1), ("second", str, NO_DEFAULT))
    assert mixed.decode_arguments(mixed.encode_arguments((), {"second": "x"})) == (1, "x")


def test_json_with_an_unknown_or_missing_or_wrong_argument_is_refused() -> None:
    assert NEW.convert_arguments({"sku": "tea"}) == {"sku": "tea", "count": 1, "note": None}
    with pytest.raises(InvalidArguments, match='no parameter "colour"; it takes sku, count, note'):
        NEW.convert_arguments({"sku": "tea", "colour": "red"})
    with pytest.raises(InvalidArguments, match='the argument "sku" is missing'):
        NEW.convert_arguments({})
    with pytest.raises(InvalidArguments, match='the argument "count": Expected `int`, got `str`'):
        NEW.convert_arguments({"sku": "tea", "count": "two"})


def test_a_number_that_cannot_travel_is_named() -> None:
    with pytest.raises(InvalidArguments, match='reserve: the argument "count": '):
        NEW.encode_values(("tea", 2**64, None))


def test_infinity_is_a_number() -> None:
    numbers = codec(result=float)
    assert numbers.decode_answer(numbers.encode_result(float("inf"))) == float("inf")


def test_a_subclass_of_a_refusal_travels_as_what_the_contract_names() -> None:
    shop = codec(refuses=(OutOfStock,))
    with pytest.raises(OutOfStock) as caught:
        shop.decode_answer(shop.encode_error(SoldToday(sku="tea")))
    assert caught.value == OutOfStock(sku="tea")
    assert shop.decode_refusal(shop.encode_refusal(SoldToday(sku="tea"))) == OutOfStock(sku="tea")


def test_a_refusal_that_the_older_caller_does_not_know_is_an_error_that_names_it() -> None:
    newer, older = codec(refuses=(OutOfStock,)), codec()
    with pytest.raises(CallError, match=r"reserve refused with OutOfStock, which its contract does not name\."):
        older.decode_answer(newer.encode_error(OutOfStock(sku="tea")))
    with pytest.raises(CallError, match="OutOfStock"):
        older.decode_refusal(newer.encode_refusal(OutOfStock(sku="tea")))


def test_a_fact_added_with_a_default_may_be_left_out() -> None:
    class Older(Refusal):
        sku: str

    Older.__name__ = "OutOfStock"
    with pytest.raises(OutOfStock) as caught:
        codec(refuses=(OutOfStock,)).decode_answer(codec(refuses=(Older,)).encode_error(Older(sku="tea")))
    assert caught.value.facts == {"sku": "tea", "left": 0}


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("Nobody is there."),
        Overloaded("Too much."),
        NoSuchMethod("Not here."),
        DeadlineExceeded("Too late."),
        OutcomeUnknown("Who knows."),
        InvalidArguments("It does not fit."),
        Unauthenticated("Who are you?"),
        Denied("You may not."),
        NotFound("It is not there."),
    ],
)
def test_an_error_of_a_call_keeps_its_kind_and_sentence(error: RametError) -> None:
    with pytest.raises(type(error)) as caught:
        OLD.decode_answer(OLD.encode_error(error))
    assert str(caught.value) == str(error)
    assert type(caught.value) is type(error)


def test_an_error_of_an_own_kind_travels_as_what_it_comes_from() -> None:
    class NoSuchOrder(NotFound): ...

    with pytest.raises(NotFound, match=r"^It is not there\.$") as caught:
        OLD.decode_answer(OLD.encode_error(NoSuchOrder("It is not there.")))
    assert type(caught.value) is NotFound


def test_an_internal_error_keeps_its_id_and_place() -> None:
    with pytest.raises(InternalError) as caught:
        OLD.decode_answer(OLD.encode_error(InternalError("f00", "stock.reserve")))
    assert (caught.value.id, caught.value.where) == ("f00", "stock.reserve")


def test_an_answer_that_does_not_fit_the_contract_is_an_error() -> None:
    numbers, texts = codec(result=int), codec(result=str)
    with pytest.raises(CallError, match="answered what does not fit its contract: Expected `int`, got `str`"):
        numbers.decode_answer(texts.encode_result("five"))
    with pytest.raises(CallError, match="the answer cannot be read"):
        numbers.decode_answer(b"\xc1")


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        (("tea", "two"), 'reserve: the argument "count": Expected `int`, got `str`.'),
        (("tea", 2, 3, "a later one"), 'reserve: the argument "note": Expected `str | null`, got `int`.'),
        ((), "reserve: Expected `array` of at least length 1, got 0."),
        ("tea", "reserve: Expected `array`, got `str`."),
    ],
)
def test_an_argument_that_does_not_fit_is_named(sent: Any, sentence: str) -> None:
    with pytest.raises(InvalidArguments) as caught:
        NEW.decode_arguments(msgspec.msgpack.encode(sent))
    assert str(caught.value) == sentence


def test_an_argument_that_does_not_fit_is_named_alike_for_callers_by_json() -> None:
    by_position = codec(("lines", tuple[tuple[str, int], ...], NO_DEFAULT))
    wrong = (("tea", 1), ("milk", "two"))
    with pytest.raises(InvalidArguments) as travelled:
        by_position.decode_arguments(by_position.encode_values((wrong,)))
    with pytest.raises(InvalidArguments) as converted:
        by_position.convert_arguments({"lines": wrong})
    assert str(travelled.value) == str(converted.value)
    assert str(travelled.value) == 'reserve: the argument "lines": Expected `int`, got `str` - at `$[1][1]`.'
