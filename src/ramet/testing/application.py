"""`running`: a whole application, or one service of it, alive for the length of a test."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

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
from ramet.runtime.running import Options
from ramet.runtime.web import web
from ramet.sagas.views import SagaSummary
from ramet.settings import seconds
from ramet.testing.access import Access, InThisProcess
from ramet.testing.apart import Apart
from ramet.testing.placements import Placement, Processes
from ramet.testing.servers import EMBEDDED, Servers, engines_of
from ramet.testing.stubs import contract_of, with_fakes, with_stubs
from ramet.testing.together import Together

if TYPE_CHECKING:
    from httpx import AsyncClient

C = TypeVar("C", bound=Contract)
E = TypeVar("E", bound=Event)
Condition = Callable[[], object | Awaitable[object]]
_PUBLISHED = "SELECT payload FROM ramet_outbox WHERE topic = ? ORDER BY seq"
PATIENCE_SECONDS = 10.0


class RunningApplication:
    """What a test has in its hands, the same wherever the services are."""

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
        return await self._access.saga(saga, key)

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
    placement: Placement | Processes = "together",
    servers: Servers = EMBEDDED,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
) -> AsyncIterator[RunningApplication]:
    """Run an application for a test: temporary databases, nothing shared with other tests.

    `what` is an `Application`, the path of a ramet.toml (or its folder), or one service class, which is then alone:
    `fakes` are subclasses of contracts that take the place of its neighbours, and calling any other raises `NotFaked`.
    `placement` says where the services are:

    - "together": in one process, as `ramet up` runs them;
    - "strict": the same, with everything that crosses a contract encoded and decoded;
    - "apart": each as a running application of its own, which the others call over sockets; every call that may be
      repeated and every event is delivered twice, and a command whose second answer differs fails the test;
    - "processes": as real processes with a supervisor, in the process groups of a deployment (`Processes` names one).

    `servers` are the engines: embedded, or real ones, on which the test has a database and streams of its own.
    """
    if isinstance(clock, VirtualClock) and (servers.are_real or _are_processes(placement)):
        raise UsageError(
            "A virtual clock cannot move the time of real servers and processes: leave `clock` out, and give the "
            "services short durations in `settings`."
        )
    configuration = _configuration(what)
    application = with_fakes(configuration.application, fakes)
    if isinstance(what, type):
        application = with_stubs(application)
    configuration = replace(configuration, application=application)
    if _are_processes(placement):
        placement = placement if isinstance(placement, Processes) else Processes()
        alive = _as_processes(configuration, placement, servers, settings or {})
    else:
        options = Options(
            clock=clock or SystemClock(),
            strict=placement == "strict",
            settings={**configuration.settings, **(settings or {})},
            prepare=create_tables,
        )
        alive = _in_this_process(application, servers, options, is_apart=placement == "apart")
    async with alive as found:
        yield found


@asynccontextmanager
async def _in_this_process(
    application: Application, servers: Servers, options: Options, *, is_apart: bool
) -> AsyncIterator[RunningApplication]:
    declared = read(application)
    async with engines_of(servers, declared) as engines, AsyncExitStack() as stack:
        alive = Apart(declared, engines, options) if is_apart else Together(declared, engines, options)
        parts = await stack.enter_async_context(alive)
        app = web(parts[0], Deployment(name="test"))
        await app.startup()
        async with AsyncExitStack() as clients:
            yield RunningApplication(InThisProcess(parts), await _http_client(app, clients))
            await app.drain(1.0)
            await app.shutdown()


@asynccontextmanager
async def _as_processes(
    configuration: Configuration, placement: Processes, servers: Servers, settings: Mapping[str, Mapping[str, Any]]
) -> AsyncIterator[RunningApplication]:
    from ramet.testing.processes import Wanted, processes

    wanted = Wanted(
        configuration=configuration,
        declared=read(configuration.application),
        settings=settings,
        servers=servers,
        placement=placement,
    )
    async with processes(wanted) as alive, AsyncExitStack() as clients:
        yield RunningApplication(alive, await _network_client(alive.prefixes, clients))


async def _http_client(app: Any, stack: AsyncExitStack) -> AsyncClient | None:
    try:
        import httpx  # an optional library: tests without HTTP do without it
    except ImportError:
        return None
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://test"))


async def _network_client(prefixes: Mapping[str, str], stack: AsyncExitStack) -> AsyncClient | None:
    """A client that sends each request to whoever has the path: the longest of the `prefixes` that fits."""
    try:
        import httpx  # an optional library: tests without HTTP do without it
    except ImportError:
        return None

    async def find(request: httpx.Request) -> None:
        there = next((url for prefix, url in prefixes.items() if request.url.path.startswith(prefix)), None)
        if there is not None:
            place = httpx.URL(there)
            request.url = request.url.copy_with(scheme=place.scheme, host=place.host, port=place.port)

    first = next(iter(prefixes.values()), "http://test")
    client = httpx.AsyncClient(base_url=first, event_hooks={"request": [find]})
    return await stack.enter_async_context(client)


def _are_processes(placement: Placement | Processes) -> bool:
    return placement == "processes" or isinstance(placement, Processes)


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
