"""`running`: a whole application, or one service of it, alive for the length of a test."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import msgspec

from ramet.clock import Clock, SystemClock, VirtualClock
from ramet.contract.application import Application
from ramet.contract.reading.application import read
from ramet.contract.saga import Saga
from ramet.contract.service import Contract
from ramet.contract.struct import Event
from ramet.errors import MissingExtra, UsageError
from ramet.model.topology import Deployment
from ramet.runtime.configuration import Configuration, load, make_importable
from ramet.runtime.migrating import create_tables
from ramet.runtime.running import Options, Running
from ramet.runtime.service import RunningService
from ramet.runtime.web import web
from ramet.runtime.wiring import temporary
from ramet.sagas.views import SagaSummary
from ramet.settings import seconds
from ramet.storage.work import transact
from ramet.telemetry.scope import Scope, Work
from ramet.testing.apart import Apart
from ramet.testing.stubs import contract_of, with_fakes, with_stubs
from ramet.testing.together import Together

if TYPE_CHECKING:
    from httpx import AsyncClient

C = TypeVar("C", bound=Contract)
E = TypeVar("E", bound=Event)
Condition = Callable[[], object | Awaitable[object]]
_PUBLISHED = "SELECT payload FROM ramet_outbox WHERE topic = ? ORDER BY seq"
PATIENCE_SECONDS = 10.0
Placement = Literal["together", "strict", "apart"]


class RunningApplication:
    """What a test has in its hands."""

    def __init__(self, parts: Sequence[Running], http: AsyncClient | None) -> None:
        self.running = parts[0]
        self._services = {name: service for part in parts for name, service in part.services.items()}
        self._http = http
        self.clock: Clock = self.running.clock

    def client(self, contract: type[C]) -> C:
        """A client of any contract, as the outside has it."""
        return self.running.client(contract)

    @property
    def http(self) -> AsyncClient:
        """An httpx client of the public APIs and mounted applications, without a network between.

        Raises: MissingExtra where httpx is not installed.
        """
        if self._http is None:
            raise MissingExtra("httpx", "testing", "The HTTP client of a test")
        return self._http

    def service(self, cls: type[C]) -> C:
        """The very instance that serves, for instance a fake that has noted how it was called."""
        for service in self._services.values():
            if isinstance(service.instance, cls):
                return service.instance
        raise UsageError(
            f"{cls.__name__} is not part of the application under test: ask for a service, or a fake, that is."
        )

    async def published(self, event: type[E]) -> list[E]:
        """Every event of a class that was published and committed, in order."""
        topic = self.running.declared.topic_of(event)
        rows = await self._publisher(event).storage.fetch(_PUBLISHED, topic)
        return [msgspec.json.decode(row[0], type=event) for row in rows]

    async def publish(self, event: Event) -> None:
        """Publish an event as its owner would, for the handlers of what is tested."""
        service = self._publisher(type(event))
        await transact(service.storage, Scope(service.name, Work.COMMAND, "test"), partial(service.link.publish, event))

    def _publisher(self, event: type[Event]) -> RunningService:
        owner = self.running.declared.owner_of(event)
        if owner is None:
            raise UsageError(
                f"No service of the application under test publishes {event.__name__}: "
                "run the service that does, too, or fake its contract."
            )
        return self._services[owner.name]

    async def eventually(self, condition: Condition, *, within: str | float = PATIENCE_SECONDS) -> Any:
        """Wait until a condition holds, and return its value: a function, or an async one, that gives something true.

        An AssertionError counts as "not yet". With a virtual clock time jumps whenever everything waits, and `within`
        (seconds, or "1h") is measured on it; with the real one it is a limit for the machine.

        Raises: AssertionError, the condition's own where it raised one.
        """
        end = self.clock.monotonic() + seconds(within)
        while True:
            value, problem = await _ask(condition)
            if value:
                return value
            if not await self._pass_time(end):
                name = getattr(condition, "__name__", "the condition")
                raise problem or AssertionError(f"{name} did not hold within {within} (last value: {value!r})")

    async def advance(self, by: str | float | timedelta) -> None:
        """Let time pass on the virtual clock: seconds, a timedelta, or `"90m"`."""
        if not isinstance(self.clock, VirtualClock):
            raise UsageError("Time can be advanced on a virtual clock: `running(…, clock=VirtualClock())`.")
        await self.clock.advance(seconds(by))

    async def saga(self, saga: type[Saga], key: str) -> SagaSummary | None:
        """The saga of a class with this key as operators see it; None when there is none."""
        for service in self._services.values():
            if service.engine is not None and service.engine.knows(saga):
                found = await service.sagas.sagas(name=saga.__name__, key=key)
                return found[0] if found else None
        raise UsageError(f"{saga.__name__} is not part of the application under test: run the service that lists it.")

    async def _pass_time(self, end: float) -> bool:
        if isinstance(self.clock, VirtualClock):
            await self.clock.settle()
            wake = self.clock.next_wake
            if wake is None or self.clock.monotonic() + wake > end:
                return False
            await self.clock.advance(wake)
            return True
        await self.clock.sleep(0.002)
        return self.clock.monotonic() < end


@asynccontextmanager
async def running(
    what: Application | type[Contract] | str | Path,
    *,
    fakes: Sequence[type[Contract]] = (),
    clock: Clock | None = None,
    placement: Placement = "together",
    strict: bool = False,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
) -> AsyncIterator[RunningApplication]:
    """Run an application for a test: temporary databases, nothing shared with other tests.

    `what` is an `Application`, the path of a ramet.toml (or its folder), or one service class, which is then alone:
    `fakes` are subclasses of contracts that take the place of its neighbours, and calling any other raises `NotFaked`.
    `placement` says where the services are:

    - "together": in one process, as `ramet up` runs them;
    - "strict" (also `strict=True`): the same, with everything that crosses a contract encoded and decoded;
    - "apart": each as a running application of its own, which the others call over sockets; every call that may be
      repeated and every event is delivered twice, and a command whose second answer differs fails the test.
    """
    configuration = _configuration(what)
    application = with_fakes(configuration.application, fakes)
    if isinstance(what, type):
        application = with_stubs(application)
    options = Options(
        clock=clock or SystemClock(),
        strict=strict or placement == "strict",
        settings={**configuration.settings, **(settings or {})},
        prepare=create_tables,
    )
    declared = read(application)
    alive = Apart(declared, temporary(), options) if placement == "apart" else Together(declared, temporary(), options)
    async with alive as parts, AsyncExitStack() as stack:
        app = web(parts[0], Deployment(name="test"))
        await app.startup()
        yield RunningApplication(parts, await _http_client(app, stack))
        await app.drain(1.0)
        await app.shutdown()


async def _http_client(app: Any, stack: AsyncExitStack) -> AsyncClient | None:
    try:
        import httpx  # an optional library: tests without HTTP do without it
    except ImportError:
        return None
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://test"))


def _configuration(what: Application | type[Contract] | str | Path) -> Configuration:
    if isinstance(what, Application):
        return Configuration(folder=Path.cwd(), application=what)
    if isinstance(what, type):
        return Configuration(
            folder=Path.cwd(), application=Application(contract_of(what).__name__.lower(), services=[what])
        )
    path = Path(what)
    path = path / "ramet.toml" if path.is_dir() else path
    make_importable(path.parent)
    return load(path)


async def _ask(condition: Condition) -> tuple[object, AssertionError | None]:
    try:
        value = condition()
        return (await cast("Awaitable[object]", value) if inspect.isawaitable(value) else value), None
    except AssertionError as problem:
        return None, problem
