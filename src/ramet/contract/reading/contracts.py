"""Reading contracts: their methods, refusals and events."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from types import FunctionType

from ramet.contract.declared import DeclaredContract, DeclaredMethod, wire_name
from ramet.contract.problems import Problems
from ramet.contract.reading.discovery import is_contract
from ramet.contract.reading.hints import check_type, namespace
from ramet.contract.reading.lines import check_name, check_version
from ramet.contract.reading.refusals import check_refusal
from ramet.contract.reading.signatures import Method, called, declare, read_method
from ramet.contract.service import Contract, HandlerMark, MethodMark, ScheduleMark, mark_of
from ramet.contract.struct import Event
from ramet.errors import Refusal

HOOKS = frozenset({"startup", "shutdown"})
OWN = frozenset(name for name in vars(Contract) if not name.startswith("_"))
"""What every service has; a contract's method of the same name would hide it."""
CALLABLE = (FunctionType, staticmethod, classmethod, property, functools.partial, functools.partialmethod)


def read_contract(cls: type[Contract], problems: Problems) -> DeclaredContract:
    """A contract, with every mistake in it reported."""
    line = cls.__ramet_line__
    _check_line(cls, problems)
    methods: dict[str, DeclaredMethod] = {}
    for name, thing in vars(cls).items():
        mark = mark_of(thing)
        if isinstance(mark, MethodMark) and (method := read_method(cls, name, mark, problems)) is not None:
            methods[name] = method
        _check_member(Method(cls, name, thing, problems))
    _check_inherited(cls, problems)
    _check_refusals(cls, methods, problems)
    return DeclaredContract(
        name=line.name or wire_name(cls),
        version=line.version or "0.0.0",
        cls=cls,
        methods=methods,
        events=_read_events(cls, problems),
    )


def _check_inherited(cls: type[Contract], problems: Problems) -> None:
    for base in cls.__mro__[1:]:
        for name, thing in vars(base).items():
            if isinstance(mark_of(thing), MethodMark) and name not in vars(cls):
                message = f"{cls.__name__} inherits {name} from {base.__name__}, which is no contract."
                problems.add(cls, message, f"Write {name} in {cls.__name__} itself: it says all that it promises.")


def _check_refusals(cls: type[Contract], methods: Mapping[str, DeclaredMethod], problems: Problems) -> None:
    names: dict[str, type[Refusal]] = {}
    for refusal in dict.fromkeys(refusal for method in methods.values() for refusal in method.refuses):
        if names.setdefault(refusal.__name__, refusal) is not refusal:
            message = f"{cls.__name__} has two different refusals called {refusal.__name__}."
            problems.add(refusal, message, "Give one another name: callers tell them apart by it.")
        check_refusal(refusal, problems)


def _check_line(cls: type[Contract], problems: Problems) -> None:
    line = cls.__ramet_line__
    if line.version is None:
        remedy = f'Write `class {cls.__name__}(Contract, version="1.0.0")`.'
        problems.add(cls, f"The contract {cls.__name__} has no version.", remedy)
    else:
        check_version(cls, "contract", line.version, problems)
    check_name(cls, "contract", line.name, problems, example="order-book")
    for option, given in (("tables", line.tables), ("sagas", line.sagas)):
        if given:
            message = f"The contract {cls.__name__} has {option}, which are private to a service."
            problems.add(cls, message, f"Move `{option}=…` to the class line of the service.", word=option)
    for name in inspect.get_annotations(cls):
        if name not in vars(cls) and not name.startswith("_"):
            message = f"The contract {cls.__name__} asks for {name}, but only a service is given anything."
            problems.add(cls, message, "Move the annotation to the service.", word=name)


def _check_member(member: Method) -> None:
    name, mark = member.name, mark_of(member.function)
    if name in HOOKS:
        member.wrong(" is a hook of the service.", "Move it to the service.")
    elif name in OWN:
        member.wrong(f" hides the {name} that every service has.", "Give it another name.")
    elif isinstance(mark, HandlerMark | ScheduleMark):
        remedy = "Move it to the service: a contract says only what others may call."
        member.wrong(" is a handler inside a contract.", remedy)
    elif mark is None and isinstance(member.function, CALLABLE) and not name.startswith("_"):
        remedy = "Decorate it; what is private to the service belongs into the service."
        member.wrong(" is neither a @query nor a @command.", remedy)


def _read_events(cls: type[Contract], problems: Problems) -> tuple[type[Event], ...]:
    listed = cls.__ramet_line__.publishes
    if listed is None:
        listed = _neighbours(cls)
    events: dict[str, type[Event]] = {}
    for event in listed:
        if not (isinstance(event, type) and issubclass(event, Event)) or event is Event:
            message = f"{cls.__name__} publishes {called(event)}, which is not an Event."
            problems.add(cls, message, declare(event, "Event"), word="publishes")
        elif events.setdefault(event.__name__, event) is not event:
            message = f"{cls.__name__} publishes two different events called {event.__name__}."
            problems.add(cls, message, "Give one another name: subscribers tell them apart by it.", word="publishes")
        else:
            _check_event(event, problems)
    return tuple(events.values())


def _neighbours(cls: type[Contract]) -> list[type[Event]]:
    """The events in the module of a contract that is alone there."""
    here = [one for one in namespace(cls).values() if isinstance(one, type) and one.__module__ == cls.__module__]
    contracts = {one for one in here if issubclass(one, Contract) and is_contract(one)}
    return [one for one in here if issubclass(one, Event)] if contracts == {cls} else []


def _check_event(event: type[Event], problems: Problems) -> None:
    check_type(event, event, f"The event {event.__name__}", problems)
    if event.key_field is not None and event.key_field not in event.__struct_fields__:
        fields = ", ".join(event.__struct_fields__) or "none"
        message = f'The event {event.__name__} has the key "{event.key_field}", but no such field.'
        problems.add(event, message, f"Its fields are {fields}.", word="key")
    if not isinstance(event.schema_version, int) or event.schema_version < 1:
        message = f"The event {event.__name__} has the version {event.schema_version!r}."
        problems.add(event, message, "Count its incompatible changes: write 1, 2, 3, …", word="version")
