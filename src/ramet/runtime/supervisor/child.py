"""One process of a supervisor: its output line by line, its end, and the signals it is sent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from ramet.tasks import Spawn

LONGEST_LINE = 64 * 1024
"""A line of a replica's output that is longer is cut into several."""
CHUNK = 64 * 1024
Said = Callable[[str], None]
"""Hears a line of what a process says."""


@dataclass(frozen=True, kw_only=True)
class Launch:
    """What is spawned: a command in a folder, with an environment, inherited descriptors, and who hears its output."""

    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    descriptors: tuple[int, ...]
    said: Said


class Process(Protocol):
    """A process that leads a session of its own, so that a terminal's Ctrl-C reaches the supervisor alone."""

    pid: int

    @property
    def returncode(self) -> int | None:
        """None: it has not ended; negative where that was a signal."""
        ...

    async def wait(self) -> int:
        """Wait for its end; the `returncode`."""
        ...


class Child:
    """A process, and what it says."""

    def __init__(self, process: Process, said: Said) -> None:
        self._process = process
        self._said = said
        self._reading: asyncio.Task[None] | None = None
        self.pid = process.pid
        self.last_words = ""

    @classmethod
    async def spawn(cls, launch: Launch, spawn: Spawn) -> Self:
        """Raises: OSError where the command cannot be run."""

        async def make(output: int) -> Process:
            return await asyncio.create_subprocess_exec(
                *launch.command,
                cwd=launch.folder,
                env=dict(launch.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                pass_fds=launch.descriptors,
                start_new_session=True,
            )

        return await cls.made(make, launch.said, spawn)

    @classmethod
    async def made(cls, make: Callable[[int], Awaitable[Process]], said: Said, spawn: Spawn) -> Self:
        """A process that is made with a descriptor for what it says. Raises: what `make` raises."""
        there, here = os.pipe()
        try:
            child = cls(await make(here), said)
        except BaseException:
            os.close(there)
            raise
        finally:
            os.close(here)
        child._reading = spawn(child._read(there))
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

    async def _read(self, descriptor: int) -> None:
        stream = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(stream)
        pipe = os.fdopen(descriptor, "rb", buffering=0)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, pipe)
        try:
            await self._listen(stream)
        finally:
            transport.close()

    async def _listen(self, stream: asyncio.StreamReader) -> None:
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
