"""Every wrong field of a body is named, at its JSON pointer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ramet.contract.struct import Struct
from ramet.http.operation.validation import wrong_fields


class Line(Struct):
    sku: str
    quantity: Annotated[int, msgspec.Meta(ge=1)]


class Card(Struct, tag="card"):
    number: str


class Invoice(Struct, tag="invoice"):
    address: str


@dataclass(frozen=True)
class Point:
    x: int
    y: int = 0


class Order(Struct, rename="camel"):
    order_lines: tuple[Line, ...]
    paid_by: Card | Invoice
    labels: Mapping[str, int] = {}
    where: Point | None = None
    corner: tuple[int, str] = (0, "")
    kind: Literal["gift", "own"] = "own"


class Strict(Struct, forbid_unknown_fields=True):
    a: int


def convert(value: Any, kind: Any) -> Any:
    return msgspec.convert(value, kind, str_keys=True)


def pointers(value: Any, kind: Any = Order) -> list[str]:
    return [each.pointer for each in wrong_fields(value, kind, convert)]


GOOD = {"orderLines": [{"sku": "tea", "quantity": 1}], "paidBy": {"type": "card", "number": "1"}}


def test_a_good_body_has_no_wrong_field() -> None:
    assert pointers(GOOD) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"orderLines": [{"sku": 1, "quantity": 0}, {"sku": "x"}]}, [
            "/orderLines/0/sku", "/orderLines/0/quantity", "/orderLines/1/quantity",
        ]),
        ({"orderLines": "none"}, ["/orderLines"]),
        ({"paidBy": {"type": "card"}}, ["/paidBy/number"]),
        ({"paidBy": {"type": "gold"}}, ["/paidBy"]),
        ({"paidBy": 3, "kind": "loan"}, ["/paidBy", "/kind"]),
        ({"labels": {"a/b": "x", "c~d": 1.5}}, ["/labels/a~1b", "/labels/c~0d"]),
        ({"where": {"x": "1", "y": None}}, ["/where/x", "/where/y"]),
        ({"where": {}}, ["/where/x"]),
        ({"corner": [1]}, ["/corner"]),
        ({"corner": ["1", 2]}, ["/corner/0", "/corner/1"]),
    ],
)  # fmt: skip
def test_every_wrong_field_is_named(change: dict[str, Any], expected: list[str]) -> None:
    assert pointers({**GOOD, **change}) == expected


def test_what_is_missing_is_named() -> None:
    assert pointers({}) == ["/orderLines", "/paidBy"]


def test_what_is_not_an_object_is_wrong_as_a_whole() -> None:
    assert pointers([]) == [""]


def test_an_unknown_field_is_named_where_none_is_allowed() -> None:
    assert pointers({"a": 1, "b": 2}, Strict) == ["/b"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["orderLines", "paidBy", "type", "sku", "quantity", "number", "where", "x"]), inner
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_wrong_fields_are_found_exactly_where_the_decoder_refuses(value: Any) -> None:
    try:
        msgspec.json.decode(msgspec.json.encode(value), type=Order)
        fits = True
    except msgspec.ValidationError:
        fits = False
    assert (pointers(value) == []) is fits
