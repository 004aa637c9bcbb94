"""Constraints are found wherever in a type they are declared, and nowhere else."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, TypeVar, get_origin

import pytest
from msgspec import Meta

from ramet import Event, Struct
from ramet.contract.reading.types import is_constrained
from tests.properties.sendable import PLAIN

T = TypeVar("T")
Count = Annotated[int, Meta(ge=1)]


class Line(Struct):
    sku: str
    count: Count


class Sold(Event):
    line: Line


class Tree(Struct):
    label: str
    branches: tuple[Tree, ...] = ()


class RingedTree(Struct):
    branches: tuple[RingedTree, ...] = ()
    rings: Annotated[int, Meta(ge=0)] = 0


class Pair(Struct, Generic[T]):
    first: T
    second: T


class Span(NamedTuple):
    begin: int
    length: Count


@dataclass(frozen=True)
class Point:
    x: Annotated[float, Meta(lt=1)]


@pytest.mark.parametrize(
    "hint",
    [
        Count,
        Annotated[int, Meta(gt=0)],
        Annotated[float, Meta(le=1.0)],
        Annotated[int, Meta(multiple_of=5)],
        Annotated[str, Meta(pattern="^a")],
        Annotated[str, Meta(min_length=1)],
        Annotated[bytes, Meta(max_length=8)],
        Annotated[datetime.datetime, Meta(tz=True)],
        Annotated[datetime.time, Meta(tz=False)],
        Annotated[Count, Meta(description="said of it as well")],
        NewType("Copies", Count),
        Count | None,
        tuple[str, Count],
        tuple[Count, ...],
        frozenset[Count],
        Mapping[str, Count],
        Mapping[Annotated[str, Meta(max_length=2)], int],
        Annotated[tuple[str, ...], Meta(min_length=1)],
        Line,
        Mapping[str, tuple[Line | None, ...]],
        Sold,
        RingedTree,
        Pair[Count],
        Span,
        Point,
    ],
    ids=str,
)
def test_a_constraint_is_found_wherever_it_is(hint: Any) -> None:
    assert is_constrained(hint)


@pytest.mark.parametrize(
    "hint",
    [
        *(hint for hint, _ in PLAIN if get_origin(hint) is not Annotated),
        Tree,
        Pair[int],
        Literal["a", "b"],
        Annotated[int, Meta(title="count", description="how many", examples=[1])],
        Annotated[str, "a note"],
        Mapping[str, tuple[Tree | None, ...]],
    ],
    ids=str,
)
def test_what_has_none_is_not_looked_at(hint: Any) -> None:
    assert not is_constrained(hint)
