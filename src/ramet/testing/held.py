"""`RunningApplication`: what a test has in its hands, the same wherever the services are."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec

from ramet.clock import Clock, VirtualClock
from ramet.contract.saga import Saga
from ramet.contract.service import Contract
from ramet.contract.struct import Event
from ramet.errors import MissingExtra, UsageError
from ramet.sagas.views import SagaSummary
from ramet.settings import seconds
from ramet.testing.access import Access

if TYPE_CHECKING:
    from httpx import AsyncClient

C = TypeVar("C", bound=Contract)
E = TypeVar("E", bound=Event)
Condition = Callable[[], object | Awaitable[object]]
_PUBLISHED = "SELECT payload FROM ramet_outbox WHERE topic = ? ORDER BY seq"
PATIENCE_SECONDS = 10.0
SHORTEST_PAUSE_SECONDS = 0.001
LONGEST_PAUSE_SECONDS = 0.05
"""How long to wait before asking again, where time is real: longer and longer, so that who is asked can work."""


class RunningApplication:
    """One application that runs for a test."""

    def __init__(self, access: Access, http: AsyncClient | None) -> None:
        self._access = access
        self._http = http
        self.running = access.running
        self.clock: Clock = self.running.clock

    def client(self, contract: type[C]) -> C:
        """A client of any contract, as the outside has it."""
        return self.running.client(contract)

    @property
    def http(self) -> AsyncClient:
        """An httpx client of the public APIs and mounted applications: of processes over the network, else without.

        Raises: MissingExtra where httpx is not installed.
        """
        if self._http is None:
            raise MissingExtra("httpx", "testing", "The HTTP client of a test")
        return self._http

    def service(self, cls: type[C]) -> C:
        """The very instance that serves, for instance a fake that has noted how it was called.

        Raises: UsageError where it is in another process.
        """
        return self._access.service(cls)

    async def published(self, event: type[E]) -> list[E]:
        """Every event of a class that its service has published and committed, in order."""
        topic = self.running.declared.topic_of(event)
        storage = await self._access.storage(self._publisher(event))
        return [msgspec.json.decode(row[0], type=event) for row in await storage.fetch(_PUBLISHED, topic)]

    async def publish(self, event: Event) -> None:
        """Publish an event as its owner would, for the handlers of what is tested.

        Processes get it from the broker, so it is not among what their services have `published`.
        """
        await self._access.publish(self._publisher(type(event)), event)

    def _publisher(self, event: type[Event]) -> str:
        owner = self.running.declared.owner_of(event)
        if owner is None:
            raise UsageError(
                f"No service of the application under test publishes {event.__name__}: "
                "run the service that does, too, or fake its contract."
            )
        return owner.name

    async def eventually(self, condition: Condition, *, within: str | float = PATIENCE_SECONDS) -> Any:
        """Wait until a condition holds, and return its value: a function, or an async one, that gives something true.

        An AssertionError counts as "not yet". With a virtual clock time jumps whenever everything waits, and `within`
        (seconds, or "1h") is measured on it; with the real one it is a limit for the machine.

        Raises: AssertionError, the condition's own where it raised one.
        """
        end = self.clock.monotonic() + seconds(within)
        pause = SHORTEST_PAUSE_SECONDS
        while True:
            value, problem = await _ask(condition)
            if value:
                return value
            pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
            if not await self._pass_time(end, pause):
                name = getattr(condition, "__name__", "the condition")
                raise problem or AssertionError(f"{name} did not hold within {within} (last value: {value!r})")

    async def advance(self, by: str | float | timedelta) -> None:
        """Let time pass on the virtual clock: seconds, a timedelta, or `"90m"`."""
        if not isinstance(self.clock, VirtualClock):
            raise UsageError("Time can be advanced on a virtual clock: `running(…, clock=VirtualClock())`.")
        await self.clock.advance(seconds(by))

    async def saga(self, saga: type[Saga], key: str) -> SagaSummary | None:
        """The saga of a class with this key as operators see it; None when there is none."""
        return await self._access.saga(saga, key)

    async def _pass_time(self, end: float, pause: float) -> bool:
        if isinstance(self.clock, VirtualClock):
            await self.clock.settle()
            wake = self.clock.next_wake
            if wake is None or self.clock.monotonic() + wake > end:
                return False
            await self.clock.advance(wake)
            return True
        await self.clock.sleep(pause)
        return self.clock.monotonic() < end


async def _ask(condition: Condition) -> tuple[object, AssertionError | None]:
    try:
        value = condition()
        return (await cast("Awaitable[object]", value) if inspect.isawaitable(value) else value), None
    except AssertionError as problem:
        return None, problem
