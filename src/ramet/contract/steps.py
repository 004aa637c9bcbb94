"""The steps of a saga as they are written: `step`, `wait` and `undo` only keep what was said."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Concatenate, Generic, Literal, ParamSpec, TypeVar, overload

from ramet.contract.struct import Event

Duration = str | float | timedelta
SagaT = TypeVar("SagaT")
StateT = TypeVar("StateT")
EventT = TypeVar("EventT", bound=Event)
P = ParamSpec("P")
Asynchronous = Coroutine[Any, Any, StateT]
UndoFunction = Callable[[SagaT, StateT], Coroutine[Any, Any, StateT | None]]
ReasonedUndo = Callable[[SagaT, StateT, str], Coroutine[Any, Any, StateT | None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class StepOptions:
    """What a decorator said, as it was written."""

    kind: Literal["step", "wait"] = "step"
    timeout: Duration | None = None
    attempts: int = 10
    backoff: Duration = "100ms"
    pivot: bool = False
    parallel: str | None = None
    event: type[Event] | None = None
    match: str | None = None
    delay: Duration | None = None
    until: str | None = None


class Step(Generic[SagaT, StateT, P]):
    """A method of a saga made a step; `@<step>.undo` decorates the method that undoes it."""

    def __init__(
        self, function: Callable[Concatenate[SagaT, StateT, P], Asynchronous[StateT]], options: StepOptions
    ) -> None:
        self.function = function
        self.options = options
        self.undos: list[Callable[..., Any]] = []
        self.__doc__ = function.__doc__

    @overload
    def __get__(
        self, instance: None, owner: type[SagaT]
    ) -> Callable[Concatenate[SagaT, StateT, P], Asynchronous[StateT]]: ...
    @overload
    def __get__(
        self, instance: SagaT, owner: type[SagaT]
    ) -> Callable[Concatenate[StateT, P], Asynchronous[StateT]]: ...
    def __get__(self, instance: SagaT | None, owner: type[SagaT]) -> Any:
        return self.function if instance is None else self.function.__get__(instance, owner)

    @overload
    def undo(self, function: UndoFunction[SagaT, StateT]) -> UndoFunction[SagaT, StateT]: ...
    @overload
    def undo(self, function: ReasonedUndo[SagaT, StateT]) -> ReasonedUndo[SagaT, StateT]: ...
    def undo(self, function: Any) -> Any:
        """Undo this step with the decorated method, which takes the state and may return the next one.

        With a second parameter it is told why the saga goes back: the sentence of the refusal, or of the error. It is
        called also when nobody knows whether the step has happened, so it must tolerate that it never did.
        """
        self.undos.append(function)
        return function


StepMethod = Callable[[SagaT, StateT], Asynchronous[StateT]]
EventMethod = Callable[[SagaT, StateT, EventT], Asynchronous[StateT]]


@overload
def step(function: StepMethod[SagaT, StateT], /) -> Step[SagaT, StateT, []]: ...
@overload
def step(
    *,
    timeout: Duration = ...,
    attempts: int = ...,
    backoff: Duration = ...,
    pivot: bool = ...,
    parallel: str | None = ...,
) -> Callable[[StepMethod[SagaT, StateT]], Step[SagaT, StateT, []]]: ...
def step(
    function: Callable[..., Any] | None = None,
    /,
    *,
    timeout: Duration = "5s",
    attempts: int = 10,
    backoff: Duration = "100ms",
    pivot: bool = False,
    parallel: str | None = None,
) -> Any:
    """Make a method a step: it takes the state, calls commands, and returns the next state.

    An attempt that takes longer than `timeout` or fails is repeated, `attempts` times in all, waiting `backoff` and
    twice as long each time, up to 30 seconds. One that ends with `Unavailable` uses up none: nothing was executed. A
    refusal is not repeated: the saga undoes what it has done. After the `pivot` it only goes forward, repeating until
    it succeeds. Neighbours with the same `parallel` name run together.
    """
    options = StepOptions(timeout=timeout, attempts=attempts, backoff=backoff, pivot=pivot, parallel=parallel)
    return _stepping(function, options)


@overload
def wait(
    event: type[EventT], /, *, timeout: Duration | None = ..., match: str | None = ...
) -> Callable[[EventMethod[SagaT, StateT, EventT]], Step[SagaT, StateT, [EventT]]]: ...
@overload
def wait(*, delay: Duration) -> Callable[[StepMethod[SagaT, StateT]], Step[SagaT, StateT, []]]: ...
@overload
def wait(*, until: str) -> Callable[[StepMethod[SagaT, StateT]], Step[SagaT, StateT, []]]: ...
def wait(
    event: type[Event] | None = None,
    /,
    *,
    timeout: Duration | None = None,
    match: str | None = None,
    delay: Duration | None = None,
    until: str | None = None,
) -> Any:
    """Make a method a wait: for an event, for `delay`, or `until` the moment in a field of the state.

    The event is the one whose `match` field (its own key, unless named) equals the saga's key; it is kept when it
    arrives early. When `timeout` passes first, the saga undoes what it has done. Without a timeout it waits for ever.
    """
    options = StepOptions(kind="wait", timeout=timeout, event=event, match=match, delay=delay, until=until)
    return _stepping(None, options)


def _stepping(function: Callable[..., Any] | None, options: StepOptions) -> Any:
    if function is not None:
        return Step(function, options)
    return lambda target: Step(target, options)
