"""A bounded pool of connections: broken ones are replaced, and a server that is away is waited for a little."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from ramet.errors import StorageError
from ramet.storage.postgres.channel import Channel
from ramet.storage.postgres.failures import FAILURES, is_inherited, is_lost
from ramet.tasks import Spawn

LONG_IDLE_SECONDS = 5.0
ATTEMPTS = 100
Connect = Callable[[], Awaitable[Channel]]


class Pool:
    """Hands out at most `size` connections, the one used last first, and makes whoever comes then wait in order."""

    def __init__(self, connect: Connect, size: int, spawn: Spawn) -> None:
        self._connect = connect
        self._size = size
        self._spawn = spawn
        self._idle: list[Channel] = []
        self._count = 0
        self._waiting: deque[asyncio.Future[Channel | None]] = deque()
        self._cleaning: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def is_wanted(self) -> bool:
        """Whether somebody waits for a connection."""
        return any(not future.done() for future in self._waiting)

    async def take(self) -> Channel:
        """A connection that is no transaction's. Raises: StorageUnavailable where the server is away."""
        while True:
            while self._idle:
                channel = self._idle.pop()
                if channel.pipeline.is_spoiled and channel.is_alive:
                    self.undo(channel)
                    continue
                if channel.is_alive:
                    channel.was_idle = True
                    return channel
                self.drop(channel)
            if self._count < self._size or self._closed:
                return await self._made()
            channel_or_none = await self._turn()
            if channel_or_none is not None:
                channel_or_none.was_idle = False
                return channel_or_none

    async def begun(self, sql: str, *, soon: bool = False) -> Channel:
        """A connection on which this was executed, which begins a transaction. Raises: what `FAILURES` names.

        `soon`: it waits for nobody in the database, so that a connection that does not answer is broken.

        One that turns out to be broken is replaced, and one whose last transaction is found to have failed. All that
        were idle may be broken, and say nothing about the server; but two that were not say enough.
        """
        broken = 0
        for attempt in range(1, ATTEMPTS + 1):
            channel = await self.take()
            try:
                async with asyncio.timeout(channel.pipeline.answer_seconds if soon else None):
                    await channel.command(sql)
            except FAILURES as error:
                if isinstance(error, TimeoutError):
                    channel.raw.terminate()
                self.undo(channel)
                broken += is_lost(error) and not channel.was_idle
                if broken > 1 or attempt == ATTEMPTS or not (is_lost(error) or is_inherited(error)):
                    raise
            except BaseException:
                self.undo(channel)
                raise
            else:
                return channel
        raise AssertionError("the last attempt returns or raises")

    async def asked(self) -> Channel:
        """As `take`, for what cannot be sent twice: one that was idle for long is asked first whether it is there.

        Raises: what `FAILURES` names.
        """
        channel = await self.take()
        if not channel.was_idle or asyncio.get_running_loop().time() - channel.idle_since < LONG_IDLE_SECONDS:
            return channel
        self.give(channel)
        return await self.begun("SELECT 1", soon=True)

    async def _made(self) -> Channel:
        if self._closed:
            raise StorageError("The database is closed: finish the work before it is.")
        self._count += 1
        try:
            return await self._connect()
        except BaseException as error:
            self._count -= 1
            self._refuse(error) if isinstance(error, StorageError) else self._next()
            raise

    def _refuse(self, error: StorageError) -> None:
        """Whoever waits would only find the same."""
        waiting, self._waiting = self._waiting, deque()
        for future in waiting:
            if not future.done():
                future.set_exception(type(error)(*error.args))

    async def _turn(self) -> Channel | None:
        """Wait for a connection, or for the right to make one."""
        future: asyncio.Future[Channel | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                channel = future.result()
                self._next() if channel is None else self.give(channel)
            raise

    def give(self, channel: Channel) -> None:
        """Take back a connection that is in no transaction, or will be in none after what was sent."""
        channel.restart()
        if self._closed or not channel.is_alive:
            self.drop(channel)
            return
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(channel)
                return
        channel.idle_since = asyncio.get_running_loop().time()
        self._idle.append(channel)

    def drop(self, channel: Channel) -> None:
        """Forget a connection that is broken."""
        self._count -= 1
        self._clean(channel.close())
        self._next()

    def _next(self) -> None:
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
                return

    def mend(self, channel: Channel) -> None:
        """Roll back what the last commit on it has left behind, unless whoever has it now does: it keeps its locks."""
        if channel.pipeline.is_spoiled and channel in self._idle:
            self._idle.remove(channel)
            self.undo(channel)

    def undo(self, channel: Channel) -> asyncio.Task[None]:
        """Take back a connection whose transaction is to be rolled back; done when it is."""
        return self._clean(self._rolled_back(channel))

    async def _rolled_back(self, channel: Channel) -> None:
        channel.driver.on_rollback = channel.driver.on_error = None
        try:
            if channel.is_alive:
                async with asyncio.timeout(channel.pipeline.answer_seconds):
                    await channel.command("ROLLBACK")
        except FAILURES:
            channel.raw.terminate()
            self.drop(channel)
        else:
            channel.pipeline.is_spoiled = False
            self.give(channel)

    def _clean(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task: asyncio.Task[None] = self._spawn(work)
        self._cleaning.add(task)
        task.add_done_callback(self._cleaning.discard)
        return task

    async def close(self) -> None:
        """Disconnect all that are not in use, and the others when they are given back."""
        self._closed = True
        self._refuse(StorageError("The database was closed."))
        idle, self._idle = self._idle, []
        await asyncio.gather(*(channel.close() for channel in idle))
        self._count -= len(idle)
        while self._cleaning:
            await asyncio.gather(*self._cleaning, return_exceptions=True)
