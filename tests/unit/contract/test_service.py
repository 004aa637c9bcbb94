"""A class keeps what was written of it, and says where it must be used."""

from __future__ import annotations

import pytest

from ramet import Contract, Event, Saga, Struct, command, every, on, query
from ramet.contract.declared import wire_name
from ramet.contract.reading.agreement import circles
from ramet.contract.service import HandlerMark, MethodMark, ScheduleMark, mark_of, several
from ramet.errors import UsageError


class Sold(Event):
    sku: str


class Work(Saga): ...


class Stock(Contract, version="1.0.0", name="shelves", publishes=Sold):
    @query
    async def level(self) -> int: ...

    @command(refuses=())
    async def put(self) -> None: ...


class StockService(Stock, sagas=[Work, Work]):
    @on(Sold, start="retained", attempts=2, backoff=1)
    async def note(self, event: Sold) -> None: ...

    @every("5m", zone="Europe/Zurich")
    async def tidy(self) -> None: ...


def test_decorators_only_keep_what_they_were_told() -> None:
    assert mark_of(Stock.level) == MethodMark(kind="query")
    assert mark_of(Stock.put) == MethodMark(kind="command")
    assert mark_of(StockService.note) == HandlerMark(event=Sold, start="retained", attempts=2, backoff=1)
    assert mark_of(StockService.tidy) == ScheduleMark(when="5m", zone="Europe/Zurich")
    assert mark_of(StockService.startup) is None


def test_a_class_line_belongs_to_its_class() -> None:
    contract, service = Stock.__ramet_line__, StockService.__ramet_line__
    assert (contract.name, contract.version, contract.publishes) == ("shelves", "1.0.0", (Sold,))
    assert (service.name, service.version, service.publishes, service.sagas) == (None, None, None, (Work,))


@pytest.mark.parametrize(
    ("given", "things"), [((), ()), (1, (1,)), ([1, 2, 1], (1, 2)), ([[], []], ([],)), ({3}, (3,))]
)
def test_one_thing_may_be_given_as_it_is(given: object, things: tuple[object, ...]) -> None:
    assert several(given) == things


async def test_a_service_that_does_not_run_says_so() -> None:
    service = StockService()
    with pytest.raises(UsageError, match=r"StockService\.publish works inside a running service"):
        await service.publish(Sold(sku="tea"))
    with pytest.raises(UsageError, match=r"StockService\.start works inside a running service"):
        await service.start(Work, key="1", state=Struct())
    with pytest.raises(UsageError, match="`context` is known only while"):
        _ = service.context
    with pytest.raises(UsageError, match=r"StockService\.log works inside"):
        _ = service.log


@pytest.mark.parametrize(
    ("name", "wire"),
    [("Orders", "orders"), ("PaymentMethods", "payment-methods"), ("HTTPServer", "http-server"), ("A", "a")],
)
def test_a_class_has_a_name_on_the_wire(name: str, wire: str) -> None:
    assert wire_name(type(name, (), {})) == wire


@pytest.mark.parametrize(
    ("needs", "found"),
    [
        ({}, []),
        ({"a": ["b"], "b": ["c"], "c": []}, []),
        ({"a": ["a"]}, [("a",)]),
        ({"a": ["b"], "b": ["a"]}, [("a", "b")]),
        ({"x": ["a"], "a": ["b"], "b": ["c"], "c": ["a"], "d": ["e"], "e": ["d"]}, [("a", "b", "c"), ("d", "e")]),
        ({"a": ["b", "c"], "b": ["a"], "c": ["a"]}, [("a", "b", "c")]),
    ],
)
def test_circles_are_found_once_each(needs: dict[str, list[str]], found: list[tuple[str, ...]]) -> None:
    assert circles(needs) == found


def test_what_a_service_uses_and_does_not_declare_is_said_with_how_to_declare_it() -> None:
    class Bookings(Contract, version="1.0.0"):
        pass

    with pytest.raises(AttributeError, match=r"Bookings has no attribute 'seats'\..*`seats: Seats`"):
        Bookings().seats  # noqa: B018 - that is what is tested
    assert not hasattr(Bookings(), "seats")


def test_what_a_property_of_a_service_raises_is_told_as_it_is() -> None:
    class Bookings(Contract, version="1.0.0"):
        @property
        def first(self) -> object:
            return object().second  # type: ignore[attr-defined]  # that is what is tested

    with pytest.raises(AttributeError, match=r"^'object' object has no attribute 'second'$"):
        Bookings().first  # noqa: B018 - as above
