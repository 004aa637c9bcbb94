"""Reading services, sagas and APIs: what they implement, handle and need."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

from ramet.contract.api import Api, api_declaration
from ramet.contract.declared import (
    DeclaredApi,
    DeclaredContract,
    DeclaredHandler,
    DeclaredSaga,
    DeclaredSchedule,
    DeclaredService,
    Needs,
)
from ramet.contract.places import plain
from ramet.contract.problems import Problems
from ramet.contract.reading.contracts import HOOKS, OWN
from ramet.contract.reading.hints import check_type
from ramet.contract.reading.lines import check_construction, check_name, check_version
from ramet.contract.reading.marks import check_handler, check_schedule
from ramet.contract.reading.needs import forbid, read_needs
from ramet.contract.reading.routes import resolve_routes
from ramet.contract.reading.signatures import Method, called, check_callable, compare_signatures, declare, is_async
from ramet.contract.saga import Saga, saga_declaration
from ramet.contract.service import Contract, HandlerMark, MethodMark, ScheduleMark, mark_of

ReadContract = Callable[[type[Contract]], DeclaredContract]


def read_service(cls: type[Contract], read_contract: ReadContract, problems: Problems) -> DeclaredService:
    """A service, with every mistake in it reported."""
    bases = [base for base in cls.__mro__ if base is not cls and Contract in base.__bases__]
    if len(bases) > 1:
        names = ", ".join(base.__name__ for base in bases)
        message = f"{cls.__name__} implements several contracts: {names}."
        problems.add(cls, message, "Write a service for each of them.")
    contract = read_contract(bases[0])
    members = _members(cls, bases[0])
    _check_class(cls, contract, problems)
    for name, thing in members.items():
        _check_member(Method(cls, name, thing, problems), contract)
    _check_methods(cls, contract, problems)
    marks = {name: mark_of(thing) for name, thing in members.items()}
    handlers = tuple(
        DeclaredHandler(name=name, mark=mark) for name, mark in marks.items() if isinstance(mark, HandlerMark)
    )
    schedules = tuple(
        DeclaredSchedule(name=name, mark=mark) for name, mark in marks.items() if isinstance(mark, ScheduleMark)
    )
    for handler in handlers:
        check_handler(Method(cls, handler.name, members[handler.name], problems), handler.mark)
    for schedule in schedules:
        check_schedule(Method(cls, schedule.name, members[schedule.name], problems), schedule.mark)
    needs = read_needs(cls, bases[0], problems)
    _check_needs(cls, contract, needs, problems)
    return DeclaredService(
        name=contract.name,
        cls=cls,
        contract=contract,
        needs=needs,
        handlers=handlers,
        schedules=schedules,
        sagas=tuple(saga for one in cls.__ramet_line__.sagas if (saga := _read_saga(one, cls, problems)) is not None),
    )


def _check_needs(cls: type[Contract], contract: DeclaredContract, needs: Needs, problems: Problems) -> None:
    if cls.__ramet_line__.tables is not None and not needs.databases:
        problems.add(
            cls, f"{cls.__name__} has tables but no database.", "Add the annotation `db: Database`.", word="tables"
        )
    for name, dependency in needs.contracts.items():
        if dependency is contract.cls:
            message = f"{cls.__name__}.{name} depends on its own contract."
            problems.add(cls, message, "Call the methods of `self`, and remove the annotation.", word=name)


def _members(cls: type, below: type) -> dict[str, Any]:
    """What a service and its bases wrote, a base's first; `below` and what it comes from are left out."""
    merged: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if base is not below and not issubclass(below, base):
            merged.update(vars(base))
    return merged


def _check_class(cls: type[Contract], contract: DeclaredContract, problems: Problems) -> None:
    line = cls.__ramet_line__
    for option, given in (("version", line.version), ("name", line.name), ("publishes", line.publishes)):
        if given is not None:
            message = f"{cls.__name__} says {option}=…, which is for its contract to say."
            problems.add(cls, message, f"Move it to the class line of {contract.cls.__name__}.", word=option)
    check_construction(cls, problems)


def _check_member(member: Method, contract: DeclaredContract) -> None:
    name, mark = member.name, mark_of(member.function)
    if name in HOOKS:
        if check_callable(member, "(self)") and not is_async(member.function):
            member.wrong(" is not async.", f"Write `async def {name}(self)`.")
    elif name in OWN and name not in contract.methods:
        member.wrong(f" hides the {name} that every service has.", "Give it another name.")
    elif isinstance(mark, MethodMark) and name not in contract.methods:
        remedy = f"Declare it in {contract.cls.__name__}: only the contract can be called."
        member.wrong(f" is a @{mark.kind}, but not in the contract.", remedy)
    elif isinstance(mark, HandlerMark | ScheduleMark) and name in contract.methods:
        member.wrong(" is both a handler and a method of the contract.", "Write another method for the other.")


def _check_methods(cls: type[Contract], contract: DeclaredContract, problems: Problems) -> None:
    for name, method in contract.methods.items():
        if getattr(cls, name, None) is not method.function:
            compare_signatures(cls, method, problems)
        else:
            parameters = "".join(f", {parameter}" for parameter, _, _ in method.parameters)
            message = f"{cls.__name__} does not implement {contract.cls.__name__}.{name}."
            problems.add(cls, message, f"Add `async def {name}(self{parameters})`.")


def _read_saga(cls: type[Saga], service: type, problems: Problems) -> DeclaredSaga | None:
    if not (isinstance(cls, type) and issubclass(cls, Saga)) or cls is Saga:
        problems.add(service, f"{service.__name__} lists {called(cls)} as a saga.", declare(cls, "Saga"), word="sagas")
        return None
    for mistake in saga_declaration(cls)[1]:
        at = mistake.at if isinstance(plain(mistake.at), FunctionType) else cls
        problems.add(at, mistake.message, mistake.remedy)
    state = getattr(cls, "State", None)
    if isinstance(state, type):
        check_type(state, state, f"The saga {cls.__name__}", problems)
    needs = read_needs(cls, Saga, problems)
    remedy = "Its steps act through commands: let the service that has it do the work."
    forbid(cls, needs, problems, who="The saga", kinds=("databases", "settings", "clocks"), remedy=remedy)
    return DeclaredSaga(cls=cls, needs=needs)


def read_api(cls: type[Api], problems: Problems) -> DeclaredApi:
    """A public API, with every mistake in it reported."""
    check_version(cls, "API", cls.__ramet_line__.version, problems)
    check_name(cls, "API", cls.__ramet_line__.name, problems, example="back-office")
    problems.extend(resolve_routes(cls)[1])
    needs = read_needs(cls, Api, problems)
    remedy = "It answers through contracts: ask the service that owns the data."
    forbid(cls, needs, problems, who="The API", kinds=("databases",), remedy=remedy)
    check_construction(cls, problems)
    return DeclaredApi(name=api_declaration(cls).name, cls=cls, needs=needs)
