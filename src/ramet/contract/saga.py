"""Sagas as they are written: `Saga`, and what reading one finds: a declaration, with every mistake in it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_type_hints

from ramet.contract.steps import Duration, Step, step, wait
from ramet.contract.struct import Event, Struct
from ramet.settings import seconds

__all__ = ["Saga", "SagaDeclaration", "SagaMistake", "StepDeclaration", "saga_declaration", "step", "wait"]

AnyStep = Step[Any, Any, Any]


class Saga:
    """Work that spans services and must finish: done step by step, undone in reverse order when a step is refused.

    A subclass declares `class State(Struct)`, which is persisted after every step, and its steps in their order. Its
    annotations ask for the contracts that the steps call. A step acts through commands; each gets a key of its own,
    so that a step which is repeated after a crash finds the answers it had been given. One instance serves all sagas
    of the class: what a step remembers belongs into the state.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class StepDeclaration:
    """One step of a saga: `do` and `undo` are names of methods, durations are in seconds.

    A step has a timeout and attempts; a wait has one of `event` (with `match`, its field that equals the saga's key,
    and perhaps a timeout), `delay` and `until`.
    """

    name: str
    kind: Literal["step", "wait"]
    do: str
    undo: str | None = None
    pivot: bool = False
    parallel: str | None = None
    timeout_seconds: float | None = None
    attempts: int = 10
    backoff_seconds: float = 0.1
    event: type[Event] | None = None
    match: str | None = None
    delay_seconds: float | None = None
    until: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SagaDeclaration:
    """A saga as data: its class, the type of its state, its steps in order."""

    name: str
    cls: type[Saga]
    state: type[Struct]
    steps: tuple[StepDeclaration, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class SagaMistake:
    """What is wrong with the declaration at a class or function, and how to mend it."""

    at: Any
    message: str
    remedy: str


def saga_declaration(cls: type[Saga]) -> tuple[SagaDeclaration, tuple[SagaMistake, ...]]:
    """The saga as far as it can be understood, and every mistake in it."""
    mistakes: list[SagaMistake] = []
    steps = [(name, found) for name, found in _steps_of(cls)]
    declared = tuple(_read_step(cls, name, found, mistakes) for name, found in steps)
    mistakes += _check_class(cls, declared)
    for (_, found), one in zip(steps, declared, strict=True):
        mistakes += _check_functions(cls, one, found)
        mistakes += _check_wait(cls, one, found)
    mistakes += _check_order(cls, declared)
    state = getattr(cls, "State", Struct)
    return SagaDeclaration(name=cls.__name__, cls=cls, state=state, steps=declared), tuple(mistakes)


def _steps_of(cls: type) -> Iterator[tuple[str, AnyStep]]:
    """Steps in the order in which they are written, a base class's first; an overridden one keeps its place."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        found.update(vars(base))
    return ((name, thing) for name, thing in found.items() if isinstance(thing, Step))


def _read_step(cls: type, name: str, found: AnyStep, mistakes: list[SagaMistake]) -> StepDeclaration:
    options = found.options

    def duration(what: str, value: Duration | None) -> float | None:
        try:
            length = None if value is None else seconds(value)
            if length is None or length >= 0:
                return length
            message = f"{cls.__name__}.{name}: the {what} {value!r} is negative."
        except (ValueError, TypeError, AttributeError) as error:
            message = f"{cls.__name__}.{name}: the {what} cannot be understood: {error}."
        mistakes.append(SagaMistake(at=found.function, message=message, remedy=f'Write {what}="5s", for example.'))
        return None

    return StepDeclaration(
        name=name,
        kind=options.kind,
        do=name,
        undo=_name(found.undos[0]) if found.undos else None,
        pivot=bool(options.pivot),
        parallel=options.parallel,
        timeout_seconds=duration("timeout", options.timeout),
        attempts=options.attempts,
        backoff_seconds=duration("backoff", options.backoff) or 0.0,
        event=options.event,
        match=options.match or getattr(options.event, "key_field", None),
        delay_seconds=duration("delay", options.delay),
        until=options.until,
    )


def _check_class(cls: type, steps: Sequence[StepDeclaration]) -> Iterator[SagaMistake]:
    state = getattr(cls, "State", None)
    if not (isinstance(state, type) and issubclass(state, Struct)):
        yield SagaMistake(
            at=cls,
            message=f"The saga {cls.__name__} has no State.",
            remedy="Declare `class State(Struct)` inside it: what the steps pass on.",
        )
    if not steps:
        yield SagaMistake(
            at=cls,
            message=f"The saga {cls.__name__} has no steps.",
            remedy="Decorate its methods with @step, in their order.",
        )


def _check_functions(cls: type, one: StepDeclaration, found: AnyStep) -> Iterator[SagaMistake]:
    title, function = f"{cls.__name__}.{one.name}", found.function
    wanted = ("state", "event") if one.event is not None else ("state",)
    yield from _check_function(cls, title, function, wanted)
    if getattr(function, "__annotations__", {}).get("return", ...) in (None, "None"):
        message = f"{title} returns nothing, but a step returns the next state."
        yield SagaMistake(at=function, message=message, remedy="Return the state as it is now: `-> State`.")
    for undo in found.undos:
        asked = ("state", "reason") if takes_reason(undo) else ("state",)
        yield from _check_function(cls, f"{cls.__name__}.{_name(undo)}, which undoes {one.name},", undo, asked)
    if len(found.undos) > 1:
        names = " and ".join(_name(undo) for undo in found.undos)
        yield SagaMistake(
            at=found.undos[1], message=f"{title} has {len(found.undos)} undos: {names}.", remedy="Keep one of them."
        )
    for undo in found.undos:
        if _name(undo) == one.name:
            yield SagaMistake(
                at=undo,
                message=f"The undo of {title} has the step's own name and hides it.",
                remedy="Give it a name of its own.",
            )
    if one.kind == "step" and one.timeout_seconds == 0:
        yield SagaMistake(
            at=function, message=f"{title} has a timeout of nothing.", remedy='Write timeout="5s", for example.'
        )
    if not isinstance(one.attempts, int) or one.attempts < 1:
        yield SagaMistake(
            at=function, message=f"{title} is to be attempted {one.attempts} times.", remedy="Write attempts=1 or more."
        )


def _name(undo: Any) -> str:
    return getattr(undo, "__name__", "undo")


def takes_reason(undo: Callable[..., Any]) -> bool:
    """Whether the function of an undo asks for a second argument besides the state: why the saga goes back."""
    return inspect.isfunction(undo) and len(inspect.signature(undo).parameters) == 3


def _check_function(
    cls: type, title: str, function: Callable[..., Any], wanted: Sequence[str]
) -> Iterator[SagaMistake]:
    shape = f"`async def {getattr(function, '__name__', '…')}(self, {', '.join(wanted)})`"
    if not inspect.isfunction(function):
        yield SagaMistake(at=cls, message=f"{title} is not a method, or is marked twice.", remedy=f"Write {shape}.")
        return
    if not inspect.iscoroutinefunction(function):
        yield SagaMistake(at=function, message=f"{title} is not async.", remedy=f"Write {shape}.")
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = list(inspect.signature(function).parameters.values())
    required = [
        one for one in parameters if one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    ]
    fits = len(required) <= len(wanted) + 1 <= len([one for one in parameters if one.kind in positional])
    if not fits or any(one.kind not in positional for one in required):
        names = ", ".join(one.name for one in parameters[1:]) or "nothing"
        yield SagaMistake(
            at=function, message=f"{title} takes {names} instead of {' and '.join(wanted)}.", remedy=f"Write {shape}."
        )


def _check_wait(cls: type, one: StepDeclaration, found: AnyStep) -> Iterator[SagaMistake]:
    if one.kind == "step":
        return
    title, options = f"{cls.__name__}.{one.name}", found.options
    said = [name for name in ("event", "delay", "until") if getattr(options, name) is not None]
    if len(said) != 1:
        yield SagaMistake(
            at=found.function,
            message=f"{title} waits for {' and '.join(said) or 'nothing'}.",
            remedy='Write exactly one: @wait(SomeEvent), @wait(delay="10m") or @wait(until="field_of_state").',
        )
    if options.timeout is not None and options.event is None:
        yield SagaMistake(
            at=found.function,
            message=f"{title} has a timeout, but waits for a time.",
            remedy="Only a wait for an event times out.",
        )
    if options.event is not None:
        yield from _check_event(title, one, found.function)
    if options.until is not None:
        yield from _check_until(cls, title, options.until, found.function)


def _check_event(title: str, one: StepDeclaration, function: Callable[..., Any]) -> Iterator[SagaMistake]:
    event = one.event
    if not (isinstance(event, type) and issubclass(event, Event)) or event is Event:
        shown = getattr(event, "__name__", repr(event))
        yield SagaMistake(
            at=function, message=f"{title} waits for {shown}, which is not an event.", remedy="Name an Event class."
        )
    elif one.match is None:
        yield SagaMistake(
            at=function,
            message=f"{title} waits for {event.__name__}, which has no key.",
            remedy=f'Say which field equals the saga\'s key: @wait({event.__name__}, match="order_id"), for example.',
        )
    elif one.match not in event.__struct_fields__:
        yield SagaMistake(
            at=function,
            message=f'{title} matches the field "{one.match}", which {event.__name__} does not have.',
            remedy=f"Its fields are {', '.join(event.__struct_fields__) or 'none'}.",
        )


def _check_until(cls: type, title: str, until: str, function: Callable[..., Any]) -> Iterator[SagaMistake]:
    state = getattr(cls, "State", None)
    fields: Sequence[str] = getattr(state, "__struct_fields__", ())
    if until not in fields:
        yield SagaMistake(
            at=function,
            message=f'{title} waits until "{until}", which is no field of {cls.__name__}.State.',
            remedy=f"Its fields are {', '.join(fields) or 'none'}.",
        )
        return
    try:
        hint = str(get_type_hints(state).get(until))
    except (NameError, TypeError):
        return
    if "datetime" not in hint:
        yield SagaMistake(
            at=function,
            message=f'{title} waits until "{until}", which is not a datetime.',
            remedy=f"Declare `{until}: datetime`.",
        )


def _check_order(cls: type, steps: Sequence[StepDeclaration]) -> Iterator[SagaMistake]:
    pivots = [one for one in steps if one.pivot]
    if len(pivots) > 1:
        names = " and ".join(one.name for one in pivots)
        yield SagaMistake(
            at=_function(cls, pivots[1]),
            message=f"{cls.__name__} has {len(pivots)} pivots: {names}.",
            remedy="Keep the first step that cannot be undone.",
        )
    after = steps[steps.index(pivots[0]) + 1 :] if pivots else ()
    for one in after:
        if one.undo is not None:
            yield SagaMistake(
                at=getattr(cls, one.undo, cls),
                message=f"{cls.__name__}.{one.undo} undoes {one.name}, which comes after the pivot {pivots[0].name}.",
                remedy="Remove it: after the pivot a saga only goes forward.",
            )
    yield from _check_parallel(cls, steps)


def _check_parallel(cls: type, steps: Sequence[StepDeclaration]) -> Iterator[SagaMistake]:
    ended: set[str] = set()
    for before, one in zip((None, *steps), steps, strict=False):
        if before is not None and before.parallel is not None and before.parallel != one.parallel:
            ended.add(before.parallel)
        if one.parallel in ended:
            yield SagaMistake(
                at=_function(cls, one),
                message=f'{cls.__name__}.{one.name} stands apart from its parallel group "{one.parallel}".',
                remedy="Write the steps of a group one after the other, or give this one another group.",
            )
        if one.parallel is not None and one.pivot:
            yield SagaMistake(
                at=_function(cls, one),
                message=f"{cls.__name__}.{one.name} is the pivot, and runs in parallel with others.",
                remedy="Let the pivot run alone: before it everything can be undone, after it nothing.",
            )


def _function(cls: type, one: StepDeclaration) -> Any:
    return getattr(cls, one.name, cls)
