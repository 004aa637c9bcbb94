"""The engines of a deployment, started on this machine for the length of `ramet up --engines`."""

from __future__ import annotations

import dataclasses
import os
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ramet.cli import output
from ramet.cli.application import run

PROGRAMS = frozenset({b"postgres", b"nats-server", b"beam.smp", b"redis-server"})
if TYPE_CHECKING:
    from ramet.contract.declared import Declared
    from ramet.runtime.supervisor.supervisor import Setup


class Engine(Protocol):
    """A server that is started for the length of the command."""

    @property
    def url(self) -> str:
        """Where it answers."""
        ...


@contextmanager
def with_engines(setup: Setup, application: Declared) -> Iterator[Setup]:
    """The engines that do not answer, started on this machine with their data below the deployment's."""
    from ramet.runtime.engines import KINDS, obstacle
    from ramet.runtime.planning import masked

    folder = engines_of(setup)
    urls = {"storage": setup.deployment.storage, "broker": setup.deployment.broker}
    with ExitStack() as stack:
        for key, url in tuple(urls.items()):
            if run(obstacle(url)) is None:
                continue
            kind = KINDS[url.partition("://")[0]][0]
            home = folder / kind.lower()
            home.mkdir(parents=True, exist_ok=True)
            run(_end_left_behind(home))
            with output.progress(f"Starting {kind}"):
                started = stack.enter_context(_engine(kind, home))
            output.note(
                f"{kind} runs at {masked(started.url)} for as long as this command, since nothing answers at the {key} "
                f"of ramet.toml; its data is in {home}."
            )
            urls[key] = started.url
            setup = dataclasses.replace(setup, storage=urls["storage"], broker=urls["broker"])
            if key == "storage":
                _provision(setup, application)
        yield setup


def _provision(setup: Setup, application: Declared) -> None:
    """Give each service its schema and role, as `ramet db provision` does."""
    from ramet.storage.address import address
    from ramet.storage.provisioning import FILE, give_roles

    services = [service.name for service in application.services]
    file = setup.folder / setup.deployment.data / FILE
    run(give_roles(application.name, services, address(setup.storage), file, os.environ))


def _engine(kind: str, folder: Path) -> AbstractContextManager[Engine]:
    """A server of a kind. Raises: MissingExtra, ConfigurationError."""
    if kind == "PostgreSQL":
        from ramet.testing.engines.postgres import PostgresServer

        return PostgresServer(folder)
    if kind == "NATS":
        from ramet.testing.engines.nats import NatsEngine

        return NatsEngine(folder)
    if kind == "Redis":
        from ramet.testing.engines.redis import RedisEngine

        return RedisEngine(folder)
    from ramet.testing.engines.rabbitmq import RabbitEngine

    return RabbitEngine(folder)


async def _end_left_behind(folder: Path) -> None:
    """End the server that a command which was killed has left behind with its data in the folder."""
    from ramet.clock import SystemClock

    left = tell_to_end(folder)
    while any(_command(pid) for pid in left):
        await SystemClock().sleep(0.05)


def tell_to_end(folder: Path) -> list[int]:
    """Let every server with its data below the folder end, without waiting for it; their process ids."""
    found = _processes(folder)
    for pid in found:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT if _program(_command(pid)) == b"postgres" else signal.SIGTERM)
    return found


def engines_of(setup: Setup) -> Path:
    """Where the engines of a deployment have their data."""
    return (setup.folder / setup.deployment.data / "engines").resolve()


def _processes(folder: Path) -> list[int]:
    """The servers whose command names a folder; none where the operating system does not tell."""
    named = os.fsencode(folder)
    found = (int(path.name) for path in Path("/proc").glob("[0-9]*"))
    return [pid for pid in found if named in (command := _command(pid)) and _program(command) in PROGRAMS]


def _program(command: bytes) -> bytes:
    return command.partition(b"\0")[0].rpartition(b"/")[2]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # ended meanwhile
        return b""
