"""Types that may cross a boundary, each with values of it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, TypeVar
from uuid import UUID

import msgspec
from hypothesis import strategies as st

from ramet import Struct

T = TypeVar("T")
Sendable = tuple[Any, st.SearchStrategy[Any]]
"""A type, and values of it."""


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Card(Struct, tag=True):
    number: str
    expires: date | None = None


class Invoice(Struct, tag=True):
    days: int = 30


class Pair(Struct, Generic[T]):
    first: T
    rest: tuple[T, ...] = ()


class Tree(Struct):
    name: str
    branches: tuple[Tree, ...] = ()


@dataclass(frozen=True)
class Point:
    x: int
    y: float = 0.0


class Span(NamedTuple):
    begin: int
    end: int | None = None


Sku = NewType("Sku", str)

TEXTS = st.text(max_size=6)
NUMBERS = st.integers(-(2**63), 2**64 - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)  # JSON has no infinity
TREES: st.SearchStrategy[Tree] = st.recursive(
    st.builds(Tree, name=TEXTS),
    lambda inner: st.builds(Tree, name=TEXTS, branches=st.lists(inner, max_size=2).map(tuple)),
    max_leaves=4,
)
PAYMENTS = st.builds(Card, number=TEXTS, expires=st.none() | st.dates()) | st.builds(Invoice, days=st.integers(0, 99))

PLAIN: tuple[Sendable, ...] = (
    (None, st.none()),
    (bool, st.booleans()),
    (int, NUMBERS),
    (float, FLOATS),
    (str, TEXTS),
    (bytes, st.binary(max_size=6)),
    (Decimal, st.decimals(allow_nan=False)),
    (datetime, st.datetimes() | st.datetimes(timezones=st.just(UTC))),
    (date, st.dates()),
    (time, st.times()),
    (timedelta, st.timedeltas(timedelta(days=-99_999), timedelta(days=99_999))),
    (UUID, st.uuids()),
    (Colour, st.sampled_from(Colour)),
    (Level, st.sampled_from(Level)),
    (Literal["a", 1] | None, st.sampled_from(("a", 1, None))),
    (Sku, TEXTS),
    (Annotated[int, msgspec.Meta(ge=0)], st.integers(0, 99)),
    (Card | Invoice, PAYMENTS),
    (Card | Invoice | None, st.none() | PAYMENTS),
    (Point, st.builds(Point, x=st.integers(0, 9), y=FLOATS)),
    (Span, st.builds(Span, begin=st.integers(0, 9), end=st.none() | st.integers(0, 9))),
    (Tree, TREES),
    (int | str, st.integers(0, 9) | TEXTS),
)


def inside(inner: st.SearchStrategy[Sendable]) -> st.SearchStrategy[Sendable]:
    """Collections and generic structs of a type."""
    return inner.flatmap(lambda one: st.sampled_from(tuple(_collections(*one))))


def _collections(hint: Any, values: st.SearchStrategy[Any]) -> list[Sendable]:
    several = st.lists(values, max_size=3)
    return [
        (tuple[hint, ...], several.map(tuple)),
        (tuple[hint, int], st.tuples(values, st.integers(0, 9))),
        (Mapping[str, hint], st.dictionaries(TEXTS, values, max_size=3)),
        (Mapping[Colour, hint], st.dictionaries(st.sampled_from(Colour), values, max_size=2)),
        (Pair[hint], st.builds(Pair[hint], first=values, rest=several.map(tuple))),
        (hint | None, st.none() | values) if hint is not None else (hint, values),
    ]


SENDABLE: st.SearchStrategy[Sendable] = st.recursive(st.sampled_from(PLAIN), inside, max_leaves=3)
SENDABLE_WITH_VALUE: st.SearchStrategy[tuple[Any, Any]] = SENDABLE.flatmap(
    lambda one: st.tuples(st.just(one[0]), one[1])
)
