"""`ramet logs`: what the replicas of a deployment have said, and go on saying."""

from __future__ import annotations

import io
import os
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ramet.cli import output
from ramet.cli.application import configuration, run, runs
from ramet.cli.command import Choices, command
from ramet.clock import SystemClock
from ramet.errors import UsageError

if TYPE_CHECKING:
    from ramet.model.topology import Deployment
    from ramet.runtime.configuration import Configuration

LOOK_SECONDS = 0.1


@command(
    ("ramet logs", "the last lines of every process group"),
    ("ramet logs edge -f", "those of one, and whatever follows"),
    ("ramet logs edge -n 1000 --json", "for programs: a line of JSON each"),
)
@click.argument("group", required=False)
@click.option("--follow", "-f", is_flag=True, help="Go on with what is said until the deployment ends.")
@click.option("--lines", "-n", default=50, show_default=True, type=click.IntRange(0), help="How many of each group.")
@click.option("--deployment", "-d", default=None, metavar="NAME", help="Which; by default one with groups that runs.")
def logs(choices: Choices, group: str | None, follow: bool, lines: int, deployment: str | None) -> None:
    """Show what the process groups have said.

    The files are in the folder `logs` of the deployment's data, and are there also when it does not run. A deployment
    of one process says everything on its own terminal.
    """
    from ramet.runtime.operators.remote import reach

    found = configuration(choices)
    chosen = _chosen(found, deployment)
    files = _files(found, chosen, group)
    with reach(found.folder / chosen.data) as remote:
        last = [text for path in files for text in deque(_lines(path), maxlen=lines)]
        if remote is None:
            what = "does not run: this is what it has said last" if last else "does not run, and has said nothing"
            _note(choices, f'The deployment "{chosen.name}" {what}.')
        for text in last:
            _show(choices, text)
        if follow and remote is not None:
            run(_follow(choices, files, remote.has_ended))
            _note(choices, f'The deployment "{chosen.name}" has ended.')


def _chosen(found: Configuration, deployment: str | None) -> Deployment:
    """The one that is named, else the first with groups that runs, else the first with groups. Raises: UsageError."""
    named = found.deployments.values() if deployment is None else (found.deployment(deployment),)
    split = [one for one in named if one.groups]
    if not split:
        which = f'The deployment "{deployment}" is one process' if deployment else "Every deployment is one process"
        raise UsageError(f"{which}, which says everything on its own terminal.")
    return next((one for one in split if runs(found.folder / one.data)), split[0])


def _files(found: Configuration, chosen: Deployment, group: str | None) -> list[Path]:
    """Raises: UsageError where there is no such group."""
    from ramet.runtime.supervisor.folders import Folders

    folders = Folders(found.folder / chosen.data)
    names = [one.name for one in chosen.groups]
    if group is not None and group not in names:
        raise UsageError(f'There is no group "{group}" in {chosen.name}; there are {", ".join(names)}.')
    return [folders.log(name) for name in names if group in (None, name)]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []


async def _follow(choices: Choices, files: Sequence[Path], has_ended: Callable[[], bool]) -> None:
    """Until the deployment has ended, and its last words are shown."""
    clock = SystemClock()
    followed = [_Followed(path) for path in files]

    def show_more() -> None:
        for one in followed:
            for text in one.more():
                _show(choices, text)

    while not has_ended():
        show_more()
        await clock.sleep(LOOK_SECONDS)
    show_more()


class _Followed:
    """A file from its end on, also through its rotation."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: io.TextIOWrapper | None = None
        self._open(io.SEEK_END)
        self._rest = ""

    def more(self) -> list[str]:
        """The lines that have come since."""
        text = self._rest + (self._file.read() if self._file is not None else "")
        if self._was_replaced():
            self._open(io.SEEK_SET)
            text += self._file.read() if self._file is not None else ""
        *lines, self._rest = text.split("\n")
        return lines

    def _was_replaced(self) -> bool:
        if self._file is None:
            return self._path.exists()
        try:
            return self._path.stat().st_ino != os.fstat(self._file.fileno()).st_ino
        except OSError:
            return False

    def _open(self, whence: int) -> None:
        if self._file is not None:
            self._file.close()
        try:
            self._file = self._path.open(encoding="utf-8", errors="replace")
            self._file.seek(0, whence)
        except OSError:
            self._file = None


def _note(choices: Choices, text: str) -> None:
    """A sentence for people."""
    if not choices.json:
        output.note(text)


def _show(choices: Choices, text: str) -> None:
    who, _, said = text.partition(" | ")
    if choices.json:
        output.line({"replica": who, "text": said})
    else:
        output.say(f"{output.paint(who.ljust(10), 'cyan')} {said}")
