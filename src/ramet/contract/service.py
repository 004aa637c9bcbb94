"""Contracts and services: `Contract`, and the decorators that say what a method is.

A direct subclass of `Contract` is a contract; a subclass of a contract is the service that implements it. Nothing is
registered and nothing is checked here: a class only keeps what was written, and reading.py judges the whole at once.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeVar, overload

from ramet.contract.saga import Saga
from ramet.contract.struct import Event, Struct
from ramet.errors import Refusal, UsageError
from ramet.telemetry.context import Context, current_context

if TYPE_CHECKING:
    from sqlalchemy import MetaData

F = TypeVar("F", bound=Callable[..., Awaitable[Any]])
Duration = str | float | timedelta
Refusals = type[Refusal] | tuple[type[Refusal], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class MethodMark:
    """What `@query` or `@command` said of a method."""

    kind: Literal["query", "command"]
    refuses: Refusals = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class HandlerMark:
    """What `@on` said of a method."""

    event: type[Event]
    start: Literal["now", "retained"]
    attempts: int
    backoff: Duration
    timeout: Duration = "30s"


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleMark:
    """What `@every` said of a method."""

    when: Duration
    zone: str
    timeout: Duration = "5m"


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassLine:
    """What the class line of a contract or a service said."""

    name: str | None
    version: str | None
    publishes: Sequence[type[Event]] | None
    tables: MetaData | None
    sagas: Sequence[type[Saga]]


def several(given: Any) -> tuple[Any, ...]:
    """What may be given as one thing or as several, each once."""
    things = list(given) if isinstance(given, tuple | list | set | frozenset) else [given]
    return tuple(thing for at, thing in enumerate(things) if thing not in things[:at])


def mark_of(function: object) -> MethodMark | HandlerMark | ScheduleMark | None:
    """What the decorator of a method said; None where there is none."""
    return getattr(function, "__ramet__", None)


def _marking(function: F | None, mark: object) -> Any:
    def attach(target: F) -> F:
        if mark_of(target) is not None:
            target.__ramet_twice__ = True  # type: ignore[attr-defined]  # as below
        target.__ramet__ = mark  # type: ignore[attr-defined]  # a function takes attributes; its type cannot say so
        return target

    return attach if function is None else attach(function)


@overload
def query(function: F, /) -> F: ...
@overload
def query(*, refuses: Refusals = ()) -> Callable[[F], F]: ...
def query(function: F | None = None, /, *, refuses: Refusals = ()) -> Any:
    """Mark a contract's method as having no effects: it may be retried, hedged and cached."""
    return _marking(function, MethodMark(kind="query", refuses=refuses))


@overload
def command(function: F, /) -> F: ...
@overload
def command(*, refuses: Refusals = ()) -> Callable[[F], F]: ...
def command(function: F | None = None, /, *, refuses: Refusals = ()) -> Any:
    """Mark a contract's method as one local transaction: writes, events, sagas and the answer commit together.

    `refuses` names the refusals it may raise, one class or several; each rolls the transaction back.
    """
    return _marking(function, MethodMark(kind="command", refuses=refuses))


def on(
    event: type[Event],
    *,
    start: Literal["now", "retained"] = "now",
    attempts: int = 8,
    backoff: Duration = "100ms",
    timeout: Duration = "30s",
) -> Callable[[F], F]:
    """Handle an event in one local transaction, exactly once for each service.

    A handler added later begins with the events published from `"now"` on, or with the `"retained"` past (seven days).
    A handler that fails, or takes longer than `timeout`, is tried `attempts` times, waiting `backoff` and twice as long
    each time, up to 30 seconds.
    """
    mark = HandlerMark(event=event, start=start, attempts=attempts, backoff=backoff, timeout=timeout)
    return _marking(None, mark)  # type: ignore[no-any-return]  # _marking serves four decorators


def every(when: Duration, *, zone: str = "UTC", timeout: Duration = "5m") -> Callable[[F], F]:
    """Run a method on a schedule, on one replica: `"10m"`, or cron text such as `"30 3 * * mon-fri"` in a time zone.

    A run that takes longer than `timeout` is rolled back, and tried again as one that failed.
    """
    return _marking(None, ScheduleMark(when=when, zone=zone, timeout=timeout))  # type: ignore[no-any-return]  # as above


class SagaRef(Struct):
    """A saga that was asked for: `started` is False when one with this key was there already."""

    id: str
    key: str
    started: bool


class ServiceLink(Protocol):
    """What a running service has behind it; given by the runtime."""

    log: logging.Logger

    async def publish(self, event: Event) -> None: ...
    async def start(self, saga: type[Saga], key: str, state: Struct) -> SagaRef: ...


class Contract:
    """What other services may know of a service.

    >>> class Stock(Contract, version="1.0.0"):
    ...     @query
    ...     async def level(self, sku: str) -> int: ...

    A subclass of the contract is the service. Its class line may name its `tables` (SQLAlchemy metadata) and `sagas`;
    its annotations are what it is given: its `Database`, `Settings`, the `Clock`, and other services' contracts.
    """

    __ramet_line__: ClassVar[ClassLine]
    _link: ServiceLink

    def __init_subclass__(
        cls,
        *,
        name: str | None = None,
        version: str | None = None,
        publishes: type[Event] | Sequence[type[Event]] | None = None,
        tables: MetaData | None = None,
        sagas: type[Saga] | Sequence[type[Saga]] = (),
        **rest: Any,
    ) -> None:
        super().__init_subclass__(**rest)
        cls.__ramet_line__ = ClassLine(
            name=name,
            version=version,
            publishes=None if publishes is None else several(publishes),
            tables=tables,
            sagas=several(sagas),
        )

    if not TYPE_CHECKING:  # to which a name that is not there is a mistake already

        def __getattr__(self, name: str) -> Any:
            """Say what is missing where a service uses what it does not declare."""
            if hasattr(type(self), name):  # a property, whose own error this is
                return object.__getattribute__(self, name)
            kind = type(self).__name__
            raise AttributeError(
                f"{kind} has no attribute {name!r}. What a service is given is an annotation in its class: "
                f"`{name}: {name.title().replace('_', '')}` for a contract of that name.",
                name=name,
                obj=self,
            )

    async def startup(self) -> None:
        """Called before the service answers; the services it depends on have started."""

    async def shutdown(self) -> None:
        """Called when the service has answered its last call."""

    async def publish(self, event: Event) -> None:
        """Publish a fact with the transaction, which this opens if need be: delivered if and only if that commits."""
        await self._behind("publish").publish(event)

    async def start(self, saga: type[Saga], *, key: str, state: Struct) -> SagaRef:
        """Start a saga with the transaction; `key` is unique among the sagas of this class for ever.

        A second start with the same key starts nothing and answers with the first.
        """
        return await self._behind("start").start(saga, key, state)

    @property
    def context(self) -> Context:
        """Who asked, on whose behalf, and until when."""
        context = current_context.get()
        if context is None:
            raise UsageError("`context` is known only while a call, an event, a schedule or a saga step is executed.")
        return context

    @property
    def log(self) -> logging.Logger:
        """The service's logger."""
        return self._behind("log").log

    def _behind(self, what: str) -> ServiceLink:
        link = getattr(self, "_link", None)
        if link is None:
            raise UsageError(
                f"{type(self).__name__}.{what} works inside a running service. "
                "Tests run one with `async with running(…)`."
            )
        return link  # type: ignore[no-any-return]  # getattr is Any; the attribute's type is declared above
