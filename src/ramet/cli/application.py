"""From ramet.toml to what commands work with: the configuration, a deployment, the declarations, somebody to ask."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ramet.cli import output
from ramet.cli.command import Choices
from ramet.errors import ConfigurationError, DeclarationError, UsageError

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from ramet.contract.declared import Declared
    from ramet.model.topology import Deployment
    from ramet.runtime.configuration import Configuration
    from ramet.runtime.operators.requests import Answer, Request

    A = TypeVar("A", bound=Answer)
T = TypeVar("T")


def home(choices: Choices) -> Path:
    """The nearest ramet.toml. Raises: ConfigurationError."""
    from ramet.runtime.configuration import find

    folder = choices.folder or Path.cwd()
    if not folder.is_dir():
        raise ConfigurationError(f"There is no folder {folder}.")
    return find(folder)


def configuration(choices: Choices) -> Configuration:
    """What the nearest ramet.toml says. Raises: ConfigurationError."""
    from ramet.runtime.configuration import load

    return load(home(choices))


def declared(found: Configuration) -> Declared:
    """The application's declarations, imported from its folder. Raises: DeclarationError with every problem."""
    from ramet.contract.reading.application import read
    from ramet.runtime.configuration import make_importable, tables_of_nobody

    make_importable(found.folder)
    with output.progress(f"Reading {found.application.name}"):
        application = read(found.application)
    if problems := tuple(tables_of_nobody(found, application)):
        raise DeclarationError(problems)
    return application


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the fastest loop there is."""
    import asyncio

    with asyncio.Runner(loop_factory=fastest_loop()) as runner:
        return runner.run(work)


def fastest_loop() -> Callable[[], AbstractEventLoop] | None:
    """Makes event loops; None for those of the standard library."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def ask(choices: Choices, deployment: str | None, request: Request, kind: type[A]) -> A:
    """Ask the process that runs the deployment, or where none does, its databases.

    Without a name it is the one that runs, or "local". Raises: UsageError where several run.
    """
    from ramet.runtime.operators.remote import reach

    found = configuration(choices)
    chosen = found.deployment(deployment) if deployment is not None else _running(found)
    with reach(found.folder / chosen.data) as remote:
        if remote is not None:
            return remote.ask(request, kind)
    return run(_maintain(found, chosen, request, kind))


def as_it_runs(found: Configuration, name: str) -> Deployment:
    """A deployment, on the engines it runs on: those of `ramet up --engines` are not where ramet.toml says.

    Raises: ConfigurationError.
    """
    from ramet.runtime.operators.remote import reach
    from ramet.runtime.supervisor.requests import EnginesUsed, GetEngines

    chosen = found.deployment(name)
    with reach(found.folder / chosen.data) as remote:
        if remote is None or not chosen.groups:
            return chosen
        try:
            used = remote.ask(GetEngines(), EnginesUsed)
        except UsageError:  # it is of an earlier release, which cannot tell
            return chosen
    return msgspec.structs.replace(chosen, storage=used.storage, broker=used.broker)


def _running(found: Configuration) -> Deployment:
    running = [one for one in found.deployments.values() if runs(found.folder / one.data)]
    if len(running) > 1:
        names = ", ".join(one.name for one in running)
        raise UsageError(f"Several deployments run ({names}): name one with --deployment.")
    return running[0] if running else found.deployment("local")


def runs(data: Path) -> bool:
    """Whether the deployment with this data folder runs."""
    from ramet.runtime.operators.remote import reach

    with reach(data) as remote:
        return remote is not None


async def _maintain(found: Configuration, chosen: Deployment, request: Request, kind: type[A]) -> A:
    from ramet.runtime.operators.maintenance import Maintenance
    from ramet.runtime.process import make_running

    maintenance = Maintenance(found, chosen, lambda: make_running(found, chosen, declared(found)))
    return await maintenance.ask(request, kind)
