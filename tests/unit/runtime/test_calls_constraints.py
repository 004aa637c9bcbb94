"""Where a contract declares no constraints, a call in one process is what it is without them."""

from __future__ import annotations

from typing import Annotated

import msgspec
import pytest
from msgspec import Meta

from ramet import Contract, Event, Refusal, Struct, command, query
from ramet.clock import VirtualClock
from ramet.contract.problems import Problems
from ramet.contract.reading.contracts import read_contract
from ramet.errors import InvalidArguments, UsageError
from ramet.runtime.calls import Boundary, checked
from ramet.runtime.publishing import event_encoder
from ramet.telemetry.counters import Counters

Copies = Annotated[int, Meta(ge=1)]


class Book(Struct):
    title: str
    copies: Copies = 1


class Gone(Refusal):
    since: int


class Donated(Event):
    copies: Copies


class Lent(Event):
    copies: int


class Library(Contract, version="1.0.0"):
    @query
    async def plain(self, title: str, copies: int) -> int: ...

    @command(refuses=Gone)
    async def lend(self, title: str, copies: int = 1) -> None: ...

    @query
    async def shelve(self, title: str, book: Book, copies: int = 1) -> int: ...


CONTRACT = read_contract(Library, Problems())


class Answered:
    """Answers, and keeps what it was called with."""

    def __init__(self) -> None:
        self.given: tuple[object, ...] = ()

    async def __call__(self, *given: object) -> object:
        self.given = given
        return len(given)


def near(name: str, answer: Answered) -> object:
    method = CONTRACT.methods[name]
    return checked(method, Boundary(CONTRACT, method, Counters().method(name), VirtualClock()), answer)


@pytest.mark.parametrize("name", ["plain", "lend"])
def test_a_method_without_constraints_is_called_as_it_is(name: str) -> None:
    answer = Answered()
    assert near(name, answer) is answer


async def test_the_callee_is_given_what_the_caller_has() -> None:
    answer, book = Answered(), Book(title="Emma")
    shelve = near("shelve", answer)
    assert callable(shelve)
    assert await shelve("Emma", book, 2) == 3
    assert answer.given[1] is book


async def test_what_has_no_constraints_is_not_looked_at_beside_what_has() -> None:
    shelve, unsendable = near("shelve", Answered()), object()
    assert callable(shelve)
    assert await shelve(unsendable, Book(title="Emma"), 2) == 3


def test_a_parameter_is_named_whatever_its_place() -> None:
    shelve = near("shelve", Answered())
    assert callable(shelve)
    with pytest.raises(InvalidArguments) as caught:
        shelve("Emma", Book(title="Emma", copies=0), 2)
    assert str(caught.value) == 'shelve: the argument "book": Expected `int` >= 1 - at `$.copies`.'


def test_an_event_without_constraints_is_encoded_and_nothing_else() -> None:
    assert event_encoder(Lent) is msgspec.json.encode


def test_an_event_with_constraints_is_read_before_anybody_hears_of_it() -> None:
    encode = event_encoder(Donated)
    assert encode(Donated(copies=1)) == b'{"copies":1}'
    with pytest.raises(UsageError, match=r"Donated .*Expected `int` >= 1 - at `\$\.copies`"):
        encode(Donated(copies=0))
