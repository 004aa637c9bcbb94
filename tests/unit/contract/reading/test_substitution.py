"""A type of a service contradicts its contract only where that is certain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, NewType, Protocol, TypedDict, TypeVar

import msgspec
import pytest

from ramet import Struct
from ramet.contract.reading.substitution import is_unfit

T = TypeVar("T")
Isbn = NewType("Isbn", str)


class Book(Struct):
    isbn: str


class Novel(Book):
    pages: int


class Colour(StrEnum):
    RED = "red"


class Named(Protocol):
    name: str


class Row(TypedDict):
    name: str


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (str, str),
        (Novel, Book),
        (str, Any),
        (str, object),
        (Any, str),
        (int, float),
        (bool, int),
        (datetime, date),
        (Colour, str),
        (str, str | None),
        (int | None, float | None),
        (Isbn, str),
        (str, Isbn),
        (Annotated[int, msgspec.Meta(ge=0)], int),
        (int, Annotated[int, msgspec.Meta(ge=0)]),
        (Literal["a"], str),
        (Literal["a"], Literal["a", "b"]),
        (str, Literal["a"]),
        (tuple[Novel, ...], tuple[Book, ...]),
        (tuple[int, ...], Sequence[int]),
        (Sequence[int], tuple[int, ...]),
        (tuple[int, str], tuple[Any, ...]),
        (dict[str, int], Mapping[str, int]),
        (Mapping[str, int], dict[str, int]),
        (list, list[int]),
        (T, str),
        (str, T),
        (Book, Named),
        (Row, dict[str, str]),
        (dict[str, str], Row),
        (None, None),
    ],
)
def test_what_may_fit_is_not_reported(given: Any, expected: Any) -> None:
    assert not is_unfit(given, expected)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (str, int),
        (float, int),
        (Book, Novel),
        (str | None, str),
        (None, str),
        (str, None),
        (tuple[str, ...], tuple[int, ...]),
        (tuple[Book, ...], list[Book]),
        (dict[str, str], dict[str, int]),
        (Literal["a", "b"], Literal["a"]),
        (Literal["a"], int),
        (int, Literal["a"]),
        (Book, str),
    ],
)
def test_what_cannot_fit_is(given: Any, expected: Any) -> None:
    assert is_unfit(given, expected)
