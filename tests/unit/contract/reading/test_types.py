"""What may not cross a boundary is said in one sentence, with what to write instead."""

from __future__ import annotations

import enum
import typing
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Generic, Literal, NewType, Optional, TypeVar

import msgspec
import pytest

from ramet import Struct
from ramet.contract.reading.types import complaints, shown

T = TypeVar("T")
B = TypeVar("B", bound=int)


class Box(Struct, Generic[T]):
    content: T


class Half(enum.Enum):
    ONE = 0.5


class Mutable(msgspec.Struct):
    words: list[str]


class Loop(Struct):
    own: Loop | None = None
    bad: set[int] = frozenset()  # type: ignore[assignment]  # the mistake


@dataclass(frozen=True)
class Point:
    x: int
    y: "Nowhere"  # type: ignore[name-defined]  # noqa: F821, UP037 - the mistake


Basket = NewType("Basket", list[str])


@pytest.mark.parametrize(
    ("hint", "message"),
    [
        (list, "list is mutable, so caller and callee could change it under each other's hands."),
        (typing.List[int], "list[int] is mutable"),  # noqa: UP006 - users write it, too
        (MutableMapping[str, int], "MutableMapping[str, int] is mutable"),
        (tuple[list[int], ...], "list[int] is mutable"),
        (Optional[dict[str, Any]], "dict[str, Any] is mutable"),  # noqa: UP045 - as above
        (Annotated[set[int], "any"], "set[int] is mutable"),
        (Basket, "list[str] is mutable"),
        (Box[bytearray], "bytearray is mutable"),
        (Box, "Box does not say what is in it."),
        (Sequence, "Sequence does not say what is in it."),
        (Mapping[date, int], "Mapping[date, int] has keys that are not text"),
        (T, "T stands for any type."),
        (Any, "Any says nothing about the value."),
        (Callable[[int], str], "Callable cannot be sent"),
        (type[int], "type cannot be sent"),
        (complex, "complex cannot be sent"),
        (Half, "Half: its members are neither all strings nor all whole numbers."),
        (Literal[1, b"x"], "Literal[1, b'x']: only None, booleans, whole numbers and strings can be sent."),
        (date | str, "date | str: a receiver cannot tell its alternatives apart."),
        (Loop, "Loop.bad: set[int] is mutable"),
        (Point, 'Point has a field of the unknown type "Nowhere".'),
        ("text", '"text" is no type.'),
        (5, "5 is no type."),
        ([int], "[int] is no type."),
        (typing.Never, "Never is no type."),
    ],
)
def test_what_cannot_cross_is_said(hint: Any, message: str) -> None:
    found = list(complaints(hint))
    assert [one.message for one in found if one.message.startswith(message)], found
    assert all(one.remedy.endswith(".") for one in found)


def test_everything_wrong_in_a_class_is_said_at_its_field() -> None:
    found = list(complaints(tuple[Mutable, ...]))
    assert [(one.message.split(",")[0], one.cls, one.field) for one in found] == [
        ("Mutable is a mutable struct.", Mutable, None),
        ("Mutable.words: list[str] is mutable", Mutable, "words"),
    ]


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        (tuple[int, ...], "tuple[int, ...]"),
        (Mapping[str, int | None], "Mapping[str, int | None]"),
        (Optional[Box[int]], "Box[int] | None"),  # noqa: UP045 - users write it, too
        (None, "None"),
        (Callable[[int], str], "Callable[[int], str]"),
        (Literal["a", 1], "Literal['a', 1]"),
        (Annotated[int, "x"], "int"),
        (Basket, "Basket"),
        (B, "B"),
    ],
)
def test_a_type_is_shown_as_it_was_written(hint: Any, text: str) -> None:
    assert shown(hint) == text
