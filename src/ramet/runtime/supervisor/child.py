"""One spawned process: its output line by line, its end, and the signals it is sent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ramet.tasks import Spawn

LONGEST_LINE = 64 * 1024
"""A line of a replica's output that is longer is cut into several."""
CHUNK = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Launch:
    """What is spawned: a command in a folder, with an environment, inherited descriptors, and who hears its output."""

    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    descriptors: tuple[int, ...]
    said: Callable[[str], None]


class Child:
    """A process of a session of its own, so that a terminal's Ctrl-C reaches the supervisor alone."""

    def __init__(self, process: asyncio.subprocess.Process, said: Callable[[str], None]) -> None:
        self._process = process
        self._said = said
        self._reading: asyncio.Task[None] | None = None
        self.pid = process.pid
        self.last_words = ""

    @classmethod
    async def spawn(cls, launch: Launch, spawn: Spawn) -> Child:
        """Raises: OSError where the command cannot be run."""
        process = await asyncio.create_subprocess_exec(
            *launch.command,
            cwd=launch.folder,
            env=dict(launch.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            pass_fds=launch.descriptors,
            start_new_session=True,
        )
        child = cls(process, launch.said)
        child._reading = spawn(child._read())
        return child

    async def ended(self) -> int:
        """Wait for its end; the exit code, negative where it was a signal."""
        code = await self._process.wait()
        if self._reading is not None:  # what it started may hold its output open for longer
            await asyncio.wait({self._reading}, timeout=1.0)
            self._reading.cancel()
        return code

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.returncode is None

    def terminate(self) -> None:
        """Ask it to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it, and whatever it has started."""
        self._signal(signal.SIGKILL)

    def _signal(self, one: signal.Signals) -> None:
        if self.is_alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, one)

    async def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        rest = b""
        while chunk := await stream.read(CHUNK):
            *lines, rest = (rest + chunk).split(b"\n")
            for text in lines:
                self._say(text)
            if len(rest) > LONGEST_LINE:
                self._say(rest)
                rest = b""
        if rest:
            self._say(rest)

    def _say(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip()
        self.last_words = text or self.last_words
        self._said(text)
