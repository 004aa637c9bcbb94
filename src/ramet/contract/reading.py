"""Reading the declarations: an `Application` becomes `Declared`, or a list of every mistake in it."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, ClassVar, get_origin

from ramet.clock import Clock
from ramet.contract.agreement import check_agreement
from ramet.contract.api import Api, api_declaration
from ramet.contract.application import Application
from ramet.contract.declared import (
    Declared,
    DeclaredApi,
    DeclaredContract,
    DeclaredHandler,
    DeclaredSaga,
    DeclaredSchedule,
    DeclaredService,
    Needs,
    wire_name,
)
from ramet.contract.discovery import discover, is_contract
from ramet.contract.marks import check_handler, check_schedule
from ramet.contract.problems import Problem, Problems
from ramet.contract.routes import resolve_routes
from ramet.contract.saga import Saga, saga_declaration
from ramet.contract.service import Contract, HandlerMark, MethodMark, ScheduleMark, mark_of
from ramet.contract.signatures import (
    SEMVER,
    UNRESOLVED,
    check_type,
    compare_signatures,
    read_method,
    refusal_facts,
    resolve,
)
from ramet.contract.struct import Event
from ramet.errors import DeclarationError
from ramet.settings import Settings

OWN = frozenset(vars(Contract))


def read(application: Application) -> Declared:
    """The application as declared.

    Raises: DeclarationError with every mistake, each with file, line and remedy.
    """
    declared, problems = examine(application)
    if problems:
        raise DeclarationError(problems)
    return declared


def examine(application: Application) -> tuple[Declared, tuple[Problem, ...]]:
    """The application as far as it can be understood, and every mistake in it."""
    problems, warnings = Problems(), Problems()
    found = discover(application, problems)
    contracts: dict[type[Contract], DeclaredContract] = {}
    services = tuple(_read_service(cls, contracts, problems) for cls in found.services)
    apis = tuple(_read_api(cls, problems) for cls in found.apis)
    for cls in _mentioned(services, apis):
        if cls not in contracts and is_contract(cls):
            contracts[cls] = _read_contract(cls, problems)
    declared = Declared(
        name=application.name,
        contracts=tuple(contracts.values()),
        services=services,
        apis=apis,
        mounted=tuple(found.mounted),
    )
    check_agreement(declared, found.loose, problems, warnings)
    return Declared(**{**vars(declared), "warnings": tuple(warnings)}), tuple(problems)


def _mentioned(services: Sequence[DeclaredService], apis: Sequence[DeclaredApi]) -> list[type[Contract]]:
    needs = [part.needs for part in (*services, *apis)]
    needs += [saga.needs for service in services for saga in service.sagas]
    return [cls for need in needs for cls in need.contracts.values()]


def _read_contract(cls: type[Contract], problems: Problems) -> DeclaredContract:
    line = cls.__ramet_line__
    if line.version is None:
        problems.add(cls, f"The contract {cls.__name__} has no version.", f'Write `class {cls.__name__}(Contract, version="1.0.0")`.')
    elif not SEMVER.fullmatch(line.version):
        problems.add(
            cls,
            f'The contract {cls.__name__} has the version "{line.version}", which is not a semantic version.',
            'Write MAJOR.MINOR.PATCH, such as "1.0.0".',
        )
    methods = {}
    for name, function in vars(cls).items():
        mark = mark_of(function)
        if isinstance(mark, MethodMark):
            methods[name] = read_method(cls, name, mark, problems)
            _check_refusals(methods[name].refuses, problems)
        elif isinstance(mark, HandlerMark | ScheduleMark):
            problems.add(
                function,
                f"{cls.__name__}.{name} is a handler inside a contract.",
                "Move it into the service: a contract says only what others may call.",
            )
        elif inspect.isfunction(function) and not name.startswith("_") and name not in OWN:
            problems.add(
                function,
                f"{cls.__name__}.{name} is neither a @query nor a @command.",
                "Decorate it; what is private to the service belongs into the service.",
            )
    return DeclaredContract(
        name=line.name or wire_name(cls),
        version=line.version or "0.0.0",
        cls=cls,
        methods=methods,
        events=_read_events(cls, problems),
    )


def _check_refusals(refusals: Sequence[type], problems: Problems) -> None:
    for refusal in refusals:
        for name, hint in refusal_facts(refusal, problems).items():
            check_type(hint, refusal, f'{refusal.__name__}: the fact "{name}"', problems)


def _read_events(cls: type[Contract], problems: Problems) -> tuple[type[Event], ...]:
    listed = cls.__ramet_line__.publishes
    if listed is None:
        module = inspect.getmodule(cls)
        neighbours = [thing for thing in vars(module).values() if isinstance(thing, type)] if module else []
        here = [thing for thing in neighbours if thing.__module__ == cls.__module__]
        contracts = [thing for thing in here if issubclass(thing, Contract) and is_contract(thing)]
        listed = [thing for thing in here if issubclass(thing, Event)] if contracts == [cls] else []
    events = []
    for event in dict.fromkeys(listed):
        if not (isinstance(event, type) and issubclass(event, Event)):
            shown = getattr(event, "__name__", repr(event))
            problems.add(cls, f"{cls.__name__} publishes {shown}, which is not an Event.", f"Declare `class {shown}(Event)`.")
            continue
        check_type(event, event, f"The event {event.__name__}", problems)
        if event.key_field is not None and event.key_field not in event.__struct_fields__:
            problems.add(
                event,
                f'The event {event.__name__} has the key "{event.key_field}", but no such field.',
                f"Its fields are {', '.join(event.__struct_fields__) or 'none'}.",
            )
        events.append(event)
    return tuple(events)


def _read_service(
    cls: type[Contract], contracts: dict[type[Contract], DeclaredContract], problems: Problems
) -> DeclaredService:
    bases = [base for base in cls.__mro__ if base is not cls and base is not Contract and Contract in base.__bases__]
    if len(bases) > 1:
        names = ", ".join(base.__name__ for base in bases)
        problems.add(cls, f"{cls.__name__} implements several contracts ({names}).", "Write one service for each.")
    contract = contracts.get(bases[0]) or contracts.setdefault(bases[0], _read_contract(bases[0], problems))
    _check_implementation(cls, contract, problems)
    marks = [(name, mark_of(getattr(cls, name))) for name in dir(cls) if not name.startswith("__") and name != "context"]
    handlers = tuple(DeclaredHandler(name=name, mark=mark) for name, mark in marks if isinstance(mark, HandlerMark))
    schedules = tuple(DeclaredSchedule(name=name, mark=mark) for name, mark in marks if isinstance(mark, ScheduleMark))
    for handler in handlers:
        check_handler(cls, handler, problems)
    for schedule in schedules:
        check_schedule(cls, schedule, problems)
    needs = _read_needs(cls, bases[0], problems)
    if cls.__ramet_line__.tables is not None and not needs.databases:
        problems.add(cls, f"{cls.__name__} has tables but no database.", "Add the annotation `db: Database`.")
    return DeclaredService(
        name=contract.name,
        cls=cls,
        contract=contract,
        needs=needs,
        handlers=handlers,
        schedules=schedules,
        sagas=tuple(_read_saga(saga, cls, problems) for saga in cls.__ramet_line__.sagas),
    )


def _check_implementation(cls: type[Contract], contract: DeclaredContract, problems: Problems) -> None:
    if cls.__init__ is not object.__init__:
        problems.add(
            cls,
            f"{cls.__name__} has an __init__, but the runtime makes its instance.",
            "Annotate what it needs, and prepare the rest in `async def startup(self)`.",
            word="def __init__",
        )
    for name, method in contract.methods.items():
        if getattr(cls, name) is method.function:
            problems.add(cls, f"{cls.__name__} does not implement {contract.cls.__name__}.{name}.", f"Add `async def {name}`.")
        else:
            compare_signatures(cls, method, problems)
    for name, function in vars(cls).items():
        if isinstance(mark_of(function), MethodMark) and name not in contract.methods:
            problems.add(
                function,
                f"{cls.__name__}.{name} is a @{mark_of(function).kind}, but not in the contract.",  # type: ignore[union-attr]  # a MethodMark, as just asked
                f"Declare it in {contract.cls.__name__}: only the contract can be called.",
            )


def _read_saga(cls: type[Saga], service: type, problems: Problems) -> DeclaredSaga:
    if not (isinstance(cls, type) and issubclass(cls, Saga)):
        shown = getattr(cls, "__name__", repr(cls))
        problems.add(service, f"{service.__name__} lists {shown} as a saga.", f"Declare `class {shown}(Saga)`.")
        return DeclaredSaga(cls=Saga, needs=Needs())
    _, mistakes = saga_declaration(cls)
    for mistake in mistakes:
        problems.add(mistake.at, mistake.message, mistake.remedy)
    state = vars(cls).get("State")
    if isinstance(state, type):
        check_type(state, cls, f"{cls.__name__}.State", problems)
    needs = _read_needs(cls, Saga, problems)
    for name in needs.databases:
        problems.add(
            cls,
            f"The saga {cls.__name__} asks for a database.",
            "Its steps act through commands: call one of the service that owns the data.",
            word=f"{name}:",
        )
    return DeclaredSaga(cls=cls, needs=needs)


def _read_api(cls: type[Api], problems: Problems) -> DeclaredApi:
    _, mistakes = resolve_routes(cls)
    problems.extend(mistakes)
    needs = _read_needs(cls, Api, problems)
    for name in needs.databases:
        problems.add(cls, f"The API {cls.__name__} asks for a database.", "It answers through contracts.", word=f"{name}:")
    return DeclaredApi(name=api_declaration(cls).name, cls=cls, needs=needs)


def _read_needs(cls: type, below: type, problems: Problems) -> Needs:
    """What the annotations of a class and its bases, down to (not including) `below`, ask for."""
    contracts, settings, databases, clocks = {}, {}, [], []
    for base in reversed(cls.__mro__[: cls.__mro__.index(below)]):
        for name, annotation in base.__dict__.get("__annotations__", {}).items():
            hint = resolve(annotation, base, problems, base, f"{base.__name__}.{name}")
            if hint is UNRESOLVED or get_origin(hint) is ClassVar or name in base.__dict__:
                continue
            if isinstance(hint, type) and issubclass(hint, Settings):
                settings[name] = hint
            elif getattr(hint, "ramet_need", None) == "database":
                databases.append(name)
            elif hint is Clock:
                clocks.append(name)
            elif isinstance(hint, type) and issubclass(hint, Contract) and is_contract(hint):
                contracts[name] = hint
            else:
                _report_need(base, name, hint, problems)
    return Needs(contracts=contracts, settings=settings, databases=tuple(databases), clocks=tuple(clocks))


def _report_need(cls: type, name: str, hint: Any, problems: Problems) -> None:
    shown = getattr(hint, "__name__", str(hint))
    if isinstance(hint, type) and issubclass(hint, Contract) and hint is not Contract:
        contract = next(base for base in hint.__mro__ if Contract in base.__bases__).__name__
        problems.add(
            cls,
            f"{cls.__name__}.{name} depends on the service {shown}.",
            f"Depend on its contract: `{name}: {contract}`.",
            word=f"{name}:",
        )
    else:
        problems.add(
            cls,
            f"{cls.__name__}.{name} asks for a {shown}, which the runtime cannot give.",
            "It gives contracts, a Database, Settings and the Clock; give the attribute a value, or mark it ClassVar.",
            word=f"{name}:",
        )
