"""`ramet up`: run a deployment, and run it anew when its code changes."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import os
import re
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from ramet.cli import output
from ramet.cli.application import configuration, declared, home, run
from ramet.cli.blame import own_part
from ramet.cli.command import Choices, command, failed
from ramet.cli.provisioning import check_entrance
from ramet.errors import ConfigurationError, DeclarationError, RametError
from ramet.interruption import INTERRUPTED
from ramet.tasks import Tasks, unless_stopped

if TYPE_CHECKING:
    from ramet.model.topology import Deployment
    from ramet.runtime.process import Process, Ready
    from ramet.runtime.watching import Sources

ADDRESS = re.compile(r"(?P<host>[^:\s]*|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})")


@command(
    ("ramet up", "the local deployment, on http://127.0.0.1:8000"),
    ("ramet up --listen :9000", "on another port; 0 for any that is free"),
    ("ramet up --no-reload --json", "for programs: one line of JSON when it is ready"),
    ("ramet up split --engines", "as several processes, with PostgreSQL and NATS started here"),
)
@click.argument("deployment", default="local")
@click.option("--reload/--no-reload", default=None, help="Start anew when the code changes; the default on a terminal.")
@click.option("--listen", metavar="ADDRESS", help="Another address, such as 127.0.0.1:9000.")
@click.option("--strict", is_flag=True, help="Encode calls as if the services were apart.")
@click.option("--engines", is_flag=True, help="Start the database and the broker here, where they do not answer.")
def up(choices: Choices, deployment: str, reload: bool | None, listen: str | None, strict: bool, engines: bool) -> int:
    """Run the application until it is interrupted.

    A deployment with process groups is run as processes that are watched and started again. Ctrl-C or SIGTERM finish
    what is in flight first; a second one does not wait.
    """
    from ramet.cli.logs import configure
    from ramet.runtime.replacing import inherited

    configure()
    gc.disable()  # until it is ready: whatever is made before then is kept
    if listen is not None:
        check_address(listen)
    watched = sys.stdout.isatty() if reload is None else reload
    if _has_groups(choices, deployment):
        return _supervise(choices, deployment, listen=listen, engines=engines, watched=watched)
    if engines:
        raise ConfigurationError(
            f"--engines is for a deployment with process groups: {deployment} has none, and needs no servers."
        )
    return Up(choices, deployment, listen=listen, strict=strict, listener=inherited()).run(watched=watched)


def _has_groups(choices: Choices, deployment: str) -> bool:
    """Whether it is several processes; where that cannot be read, running it says why."""
    try:
        found = configuration(choices).deployments.get(deployment)
    except RametError:
        return False
    return found is not None and bool(found.groups)


def _supervise(choices: Choices, name: str, *, listen: str | None, engines: bool, watched: bool) -> int:
    from ramet.cli.supervise import supervise
    from ramet.runtime.watching import Sources

    gc.enable()
    found = configuration(choices)
    deployment = found.deployment(name)
    if listen is not None:
        deployment = msgspec.structs.replace(deployment, listen=listen)
    sources = Sources(found.folder) if watched else None
    return supervise(choices, found, deployment, engines=engines, sources=sources)


def check_address(address: str) -> None:
    """Raises: ConfigurationError."""
    found = ADDRESS.fullmatch(address)
    if found is None or int(found["port"]) > 65535:
        raise ConfigurationError(f'An address is written as "127.0.0.1:9000" or ":9000", not as "{address}".')


class Up:
    """One run of the command, up to the point where changed code takes its place."""

    def __init__(
        self, choices: Choices, deployment: str, *, listen: str | None, strict: bool, listener: socket.socket | None
    ) -> None:
        self._choices = choices
        self._name = deployment
        self._listen = listen
        self._strict = strict
        self._listener = listener
        self._folder = choices.folder or Path.cwd()
        self._sources: Sources | None = None

    def run(self, *, watched: bool) -> int:
        """The exit code; where files are watched it returns only when interrupted."""
        from ramet.runtime.replacing import replace

        try:
            changed = self._serve(watched=watched)
        except Exception as error:  # noqa: BLE001 - the next save may mend whatever it is
            if not (watched and _can_be_mended(error)):
                return self._explain(error)
            changed = self._wait_until_mended(error)
        if not changed:
            return 0
        output.note(f"{_names(changed, self._folder)} changed: starting anew.")
        return replace(self._listener)

    def _serve(self, *, watched: bool) -> list[Path]:
        """Run the application until it is interrupted, or until these files have changed."""
        from ramet.runtime.configuration import settings_that_do_not_fit
        from ramet.runtime.process import Process, make_running
        from ramet.runtime.watching import Sources

        self._folder = home(self._choices).parent
        if watched:
            self._sources = Sources(self._folder)
        found = configuration(self._choices)
        deployment = self._at(found.deployment(self._name))
        application = declared(found)
        if problems := sorted(set(settings_that_do_not_fit(found, application, deployment.name, os.environ))):
            raise DeclarationError(problems)
        run(check_entrance(found, deployment, application))
        running = make_running(found, deployment, application, strict=self._strict)
        return run(self._until_changed(Process(found, deployment, running)))

    def _at(self, deployment: Deployment) -> Deployment:
        return deployment if self._listen is None else msgspec.structs.replace(deployment, listen=self._listen)

    async def _until_changed(self, process: Process) -> list[Path]:
        from ramet.runtime.holdups import Holdups

        stopping = asyncio.Event()
        _on_signals(stopping)
        with Holdups():
            return await self._until_stopped_or_changed(stopping, process)

    async def _until_stopped_or_changed(self, stopping: asyncio.Event, process: Process) -> list[Path]:
        ready = await unless_stopped(stopping, process.start(self._listener))
        if ready is None:
            output.note("Stopped before it was ready.")
            return []
        announce(ready, json=self._choices.json)
        self._listener = process.listener
        changed = await _stopped_or_changed(stopping, self._sources)
        if not changed:
            output.note("Stopping, once what is in flight is finished.")
        if not await process.stop(keep_listening=bool(changed)):
            output.note("Some requests took too long and were cut off.")
        return changed

    def _wait_until_mended(self, error: Exception) -> list[Path]:
        from ramet.runtime.watching import Sources

        if self._listener is not None:
            self._listener.close()
        self._explain(error)
        output.note(output.paint("Waiting for the next save.", "dim", sys.stderr))
        sources = self._sources or Sources(self._folder)
        return run(self._mended(sources))

    async def _mended(self, sources: Sources) -> list[Path]:
        stopping = asyncio.Event()
        _on_signals(stopping)
        return await _stopped_or_changed(stopping, sources)

    def _explain(self, error: Exception) -> int:
        unexplained = not isinstance(error, RametError) and own_part(error) is None
        return failed(dataclasses.replace(self._choices, debug=self._choices.debug or unexplained), error)


def _can_be_mended(error: Exception) -> bool:
    """Whether the next save may do it: whatever the code itself does, and once it has run, everything."""
    from ramet.runtime.replacing import is_replacement

    return is_replacement() or isinstance(error, DeclarationError) or not isinstance(error, RametError)


def _on_signals(stopping: asyncio.Event) -> None:
    """The first asks to stop; the second ends the process, which the databases survive."""

    def stop() -> None:
        if stopping.is_set():
            os._exit(INTERRUPTED)
        stopping.set()

    loop = asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, stop)


async def _stopped_or_changed(stopping: asyncio.Event, sources: Sources | None) -> list[Path]:
    """Whichever comes first: an interruption (no files), or a change."""
    tasks = Tasks()
    stopped = tasks.spawn(stopping.wait())
    changed = tasks.spawn(sources.changed(tasks.spawn)) if sources is not None else None
    await asyncio.wait({stopped, changed} if changed is not None else {stopped}, return_when=asyncio.FIRST_COMPLETED)
    found: list[Path] = changed.result() if changed is not None and changed.done() and not stopped.done() else []
    await tasks.stop()
    return found


def announce(ready: Ready, *, json: bool) -> None:
    """Say that it is ready, and where."""
    from ramet.runtime.replacing import age_seconds

    seconds = age_seconds()
    if json:
        output.line({"ready": {**msgspec.structs.asdict(ready), "seconds": seconds}})
        return
    needed = f" in {seconds:.2f} s" if seconds is not None else ""
    name = f"{output.paint(ready.application, 'bold')} · {ready.deployment}"
    output.say(f"{name} · {output.paint('ready', 'green')}{needed}")
    places = [(one.name, one.url) for one in ready.addresses] or [("listening", ready.url)]
    output.addresses([*places, *(("docs", url) for url in ready.documentation)])


def _names(changed: list[Path], folder: Path) -> str:
    shown = [str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path) for path in changed]
    return shown[0] if len(shown) == 1 else f"{shown[0]} and {len(shown) - 1} more"
