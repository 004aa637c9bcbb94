"""Right declarations in unusual clothes are read as what they are."""

import functools
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, NamedTuple, Optional, TypeVar

import pytest

from ramet import Application, Clock, Contract, Database, Event, Saga, Settings, Struct, command, every, on, query, step
from ramet.contract.declared import Declared, DeclaredService
from ramet.contract.reading.application import examine, read

T = TypeVar("T")


class Found(Struct, Generic[T]):
    items: tuple[T, ...] = ()


@dataclass(frozen=True)
class Point:
    x: int


class Span(NamedTuple):
    begin: int


class Sold(Event):
    sku: str


Skus = tuple[str, ...]
"""This file has no `from __future__ import annotations`: annotations are values, or texts where they look ahead."""


class Stock(Contract, version="1.0.0", publishes=Sold):
    class Line(Struct):
        sku: str

    default: ClassVar[int] = 5
    other = 6

    @query
    async def find(self, text: str) -> Found["Stock.Line"]: ...  # type: ignore[empty-body]  # a contract's

    @query
    async def line(self, line: Line, later: "Later", skus: Skus = ()) -> Optional[Point]: ...  # noqa: UP045 - users do

    @command
    async def put(self, spans: Sequence[Span], levels: Mapping[str, int], *, at_once: bool = False) -> None: ...

    async def _helper(self) -> None: ...


class Later(Struct):
    own: Optional["Later"] = None


def passing(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return call


class StockSettings(Settings):
    most: int = 5


class StockService(Stock):
    db: Database
    settings: "StockSettings"
    ready: bool = False
    kinds: ClassVar[dict[str, int]] = {}
    _cache: dict[str, int]

    async def startup(self) -> None:
        self._cache = {}

    @passing
    async def find(self, text: str) -> Any: ...

    async def line(self, line, later, skus=(), more=1): ...  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, RUF100 - its contract says the types

    async def put(self, *args: Any, **kwargs: Any) -> None: ...

    @on(Sold)
    async def note(self, event: Event, again: bool = False) -> None: ...

    @every(300)
    async def tidy(self) -> None: ...

    def helper(self) -> int:
        return 1


class FasterService(StockService):
    clock: Clock

    @every("1h")
    async def tidy(self) -> None: ...

    @on(Sold, start="retained")
    async def another(self, event: Sold) -> None: ...


def only(*services: Any) -> DeclaredService:
    declared = read(Application("a", services=list(services)))
    return declared.services[0]


def test_a_contract_is_read_with_its_types() -> None:
    methods = only(StockService).contract.methods
    assert methods["find"].result == Found[Stock.Line]
    assert methods["line"].parameters[1:] == (("later", Later, methods["line"].parameters[1][2]), ("skus", Skus, ()))
    assert methods["line"].result == Optional[Point]  # noqa: UP045 - as written
    assert [name for name, _, _ in methods["put"].parameters] == ["spans", "levels", "at_once"]


def test_a_service_has_what_it_and_its_bases_say() -> None:
    base, derived = only(StockService), only(FasterService)
    assert (list(base.needs.databases), list(base.needs.clocks)) == (["db"], [])
    assert (list(derived.needs.databases), list(derived.needs.clocks)) == (["db"], ["clock"])
    assert derived.needs.settings == {"settings": StockSettings}
    assert [(one.name, one.mark.when) for one in derived.schedules] == [("tidy", "1h")]
    assert [(one.name, one.mark.start) for one in derived.handlers] == [("note", "now"), ("another", "retained")]


def test_a_saga_inherits_its_steps_and_needs() -> None:
    class Base(Saga):
        class State(Struct):
            order_id: str

        stock: Stock

        @step
        async def reserve(self, state: State) -> State:
            return state

    class Longer(Base):
        @step
        async def ship(self, state: Base.State) -> Base.State:
            return state

    class Selling(Contract, version="1.0.0"): ...

    class SellingService(Selling, sagas=Longer): ...

    saga = read(Application("a", services=[SellingService, StockService])).services[0].sagas[0]
    assert saga.needs.contracts == {"stock": Stock}


SOURCE = """
from ramet import Contract, Event, Struct, on, query

class Line(Struct):
    sku: str

class Sold(Event):
    sku: str

class Made(Contract, version="1.0.0"):
    @query
    async def level(self, line: Line, day: {unknown}) -> int: ...

class MadeService(Made):
    async def level(self, line: Line, day: str) -> int: ...

    @on(Sold)
    async def note(self, event: Sold) -> None: ...
"""


def executed(source: str, name: str, *, module: bool) -> Any:
    made = types.ModuleType(name)
    if module:
        sys.modules[name] = made
    exec(compile(source, f"<{name}>", "exec"), made.__dict__)
    return made


@pytest.mark.parametrize("future", ["", "from __future__ import annotations\n"])
@pytest.mark.parametrize("module", [True, False])
def test_code_without_a_source_is_read_too(future: str, module: bool) -> None:
    made = executed(future + SOURCE.format(unknown="'Nowhere'"), "made_up", module=module)
    try:
        declared, problems = examine(Application("a", services=made.MadeService))
    finally:
        sys.modules.pop("made_up", None)
    named = [problem for problem in problems if 'the unknown type "Nowhere"' in problem.message]
    assert [(problem.file, problem.line > 1) for problem in named] == [("<made_up>", True)]
    assert declared.services[0].handlers[0].mark.event is made.Sold
    if module or not future:  # else a Struct cannot find its own annotations
        assert len(problems) == 1


def test_classes_of_a_function_can_be_read_where_their_annotations_are_values() -> None:
    class Line(Struct):
        sku: str

    class Local(Contract, version="1.0.0"):
        @query
        async def level(self, line: Line) -> int: ...  # type: ignore[empty-body]  # a contract's

    class LocalService(Local):
        async def level(self, line: Line) -> int:
            return 0

    assert only(LocalService).contract.methods["level"].parameters[0][1] is Line


def test_a_circle_of_calls_is_a_warning() -> None:
    class First(Contract, version="1.0.0"): ...

    class Second(Contract, version="1.0.0"): ...

    class FirstService(First):
        second: Second

    class SecondService(Second):
        first: First

    declared: Declared = read(Application("a", services=[FirstService, SecondService]))
    (warning,) = declared.warnings
    assert warning.message == "These services call each other in a circle: first → second → first."
    assert warning.remedy == "An event would break it."
