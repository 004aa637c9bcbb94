"""`running`: a whole application, or one service of it, alive for the length of a test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ramet.clock import Clock, SystemClock, VirtualClock
from ramet.contract.application import Application
from ramet.contract.reading.application import read
from ramet.contract.service import Contract
from ramet.errors import UsageError
from ramet.model.topology import Deployment
from ramet.runtime.configuration import Configuration, load, make_importable
from ramet.runtime.migrating import create_tables
from ramet.runtime.running import Options
from ramet.runtime.web import web
from ramet.testing import clients
from ramet.testing.access import InThisProcess
from ramet.testing.apart import Apart
from ramet.testing.held import RunningApplication
from ramet.testing.placements import Placement, Processes
from ramet.testing.servers import EMBEDDED, Servers, engines_of
from ramet.testing.stubs import contract_of, with_fakes, with_stubs
from ramet.testing.together import Together


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
      repeated and every event is delivered twice, what has a key is executed twice and committed once, and a command
      whose second answer differs fails the test;
    - "processes": as real processes with a supervisor, in the process groups of a deployment (`Processes` names one).

    `servers` are the engines: embedded, or real ones, on which the test has a database and streams of its own.
    """
    if isinstance(clock, VirtualClock):
        _refuse_real_time(placement, servers)
    configuration = _with_fakes(what, fakes)
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
        alive = _in_this_process(configuration.application, servers, options, is_apart=placement == "apart")
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
        async with AsyncExitStack() as connected:
            yield RunningApplication(InThisProcess(parts), await clients.in_this_process(app, connected))
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
    async with processes(wanted) as alive, AsyncExitStack() as connected:
        yield RunningApplication(alive, await clients.over_the_network(alive.prefixes, connected))


def _refuse_real_time(placement: Placement | Processes, servers: Servers) -> None:
    if servers.are_real or _are_processes(placement):
        raise UsageError(
            "A virtual clock cannot move the time of real servers and processes: leave `clock` out, and give the "
            "services short durations in `settings`."
        )


def _are_processes(placement: Placement | Processes) -> bool:
    return placement == "processes" or isinstance(placement, Processes)


def _with_fakes(what: Application | type[Contract] | str | Path, fakes: Sequence[type[Contract]]) -> Configuration:
    """What is configured, with fakes for some services, and stand-ins for the neighbours of one that is alone."""
    configuration = _configuration(what)
    application = with_fakes(configuration.application, fakes)
    return replace(configuration, application=with_stubs(application) if isinstance(what, type) else application)


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
