"""LISTEN and NOTIFY on a connection of its own, which comes back when it was lost."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

from ramet.clock import SystemClock
from ramet.storage.postgres.carrier import soon
from ramet.storage.postgres.failures import FAILURES
from ramet.storage.postgres.options import PostgresOptions
from ramet.tasks import Spawn

_clock = SystemClock()  # how long a server is away is real, also where the application's time is not

Wake = Callable[[], None]


class Listening:
    """Wakes listeners of this process at once, those of others by one statement for all that is notified meanwhile.

    `connect` gives an asyncpg connection outside any transaction, with asynchronous commits.
    """

    def __init__(
        self, scope: str, connect: Callable[[], Awaitable[Any]], options: PostgresOptions, spawn: Spawn
    ) -> None:
        self._scope = scope
        self._connect = connect
        self._options = options
        self._spawn = spawn
        self._loop = asyncio.get_running_loop()
        self._listeners: dict[str, list[Wake]] = {}
        self._names: dict[str, str] = {}
        self._here: set[str] = set()
        self._there: set[str] = set()
        self._wanted: set[str] = set()
        self._changed = asyncio.Event()
        self._running: asyncio.Task[Any] | None = None

    def listen(self, channel: str, wake: Wake) -> None:
        """Call `wake` after each notification, and after a reconnection."""
        self._listeners.setdefault(channel, []).append(wake)
        self._wanted.add(channel)
        self._go_on()

    def notify(self, channel: str) -> None:
        """Wake those who listen, wherever they are."""
        if channel not in self._here and channel in self._listeners:
            self._here.add(channel)
            self._loop.call_soon(self._wake_here, channel)
        self._there.add(channel)
        self._go_on()

    def _go_on(self) -> None:
        self._changed.set()
        if self._running is None:
            self._running = self._spawn(self._run())

    def _wake_here(self, channel: str) -> None:
        self._here.discard(channel)
        self._wake(channel)

    def _wake(self, channel: str) -> None:
        for wake in tuple(self._listeners.get(channel, ())):
            wake()

    def name(self, channel: str) -> str:
        """The channel's name on the server, whose names are shared by everybody and have 63 bytes."""
        return "ramet_" + hashlib.blake2s(f"{self._scope}\0{channel}".encode(), digest_size=16).hexdigest()

    async def _run(self) -> None:
        wait, first = 0.0, True
        while True:
            await _clock.sleep(_clock.jitter(wait))
            try:
                raw = await self._connect()
            except FAILURES:
                wait = min(max(wait * 2, self._options.retry_seconds), self._options.retry_most_seconds)
                continue
            wait = self._options.retry_seconds
            try:
                await self._serve(raw, missed=not first)
            except FAILURES:
                self._changed.set()
            finally:
                raw.terminate()
            first = False

    async def _serve(self, raw: Any, *, missed: bool) -> None:
        """Listen and notify on this connection until it is lost."""
        own, listened = raw.get_server_pid(), set[str]()
        raw.add_termination_listener(lambda _: self._changed.set())

        def notified(_: Any, pid: int, name: str, __: str) -> None:
            if pid != own and (channel := self._names.get(name)) is not None:
                self._wake(channel)

        while not raw.is_closed():
            self._changed.clear()
            for channel in self._wanted - listened:
                self._names[self.name(channel)] = channel
                await self._soon(raw, raw.add_listener(self.name(channel), notified))
                listened.add(channel)
                if missed:
                    self._wake(channel)
            there, self._there = self._there, set()
            if there:
                await self._tell(raw, there)
            if not self._there and self._wanted <= listened:
                await self._changed.wait()

    async def _tell(self, raw: Any, there: set[str]) -> None:
        try:
            await self._soon(raw, raw.execute("; ".join(f"NOTIFY {self.name(channel)}" for channel in there)))
        except FAILURES:
            self._there |= there
            raise

    async def _soon(self, raw: Any, operation: Awaitable[Any]) -> None:
        await soon(raw, self._options.answer_seconds, operation)

    async def close(self) -> None:
        """Tell what is to be told, where the server answers, and listen no more."""
        self._listeners.clear()
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.wait((running,))
