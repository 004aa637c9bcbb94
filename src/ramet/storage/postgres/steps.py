"""What a pipeline does, one statement after the other: for an asyncpg that lets nobody at its transport."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import asyncpg

from ramet.storage.base import Row
from ramet.storage.postgres.failures import FAILURES, is_bare
from ramet.storage.postgres.pipeline import Pipeline, Sent
from ramet.tasks import Spawn

T = TypeVar("T")


class Steps:
    """Slower than a `Pipeline`, with the same outcome: it uses nothing of asyncpg that is not public."""

    def __init__(self, raw: Any, answer_seconds: float, spawn: Spawn) -> None:
        self.answer_seconds = answer_seconds
        self.is_spoiled = self.is_bare = False
        self._raw = raw
        self._spawn = spawn
        self._ahead: list[tuple[str, Row]] = []
        self._last: asyncio.Task[None] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be sent."""
        return not self._ahead

    def put(self, sql: str, row: Row = ()) -> None:
        """Execute this statement ahead of the next operation, or of `send`."""
        self._ahead.append((sql, row))

    def drop(self) -> None:
        """Send nothing of what waits."""
        self._ahead = []

    def send(self, *, soon: bool = False) -> Sent:  # noqa: ARG002 - as a pipeline is asked
        """Execute what was put; whoever uses the connection next waits for it."""
        sent = Sent(asyncio.get_running_loop().create_future(), [])
        ahead, self._ahead = self._ahead, []
        self._last = self._spawn(self._execute(sent, ahead, self._last))
        return sent

    async def ended(self) -> None:
        """Wait for what was sent."""
        if self._last is not None:
            await asyncio.wait((self._last,))

    async def carry(self, operation: Coroutine[Any, Any, T]) -> T:
        """Await an operation of asyncpg, after what was put ahead of it."""
        try:
            await self.ended()
            ahead, self._ahead = self._ahead, []
            for sql, row in ahead:
                await self._step(sql, row)
        except BaseException as error:
            self.is_bare |= is_bare(error)
            operation.close()
            raise
        try:
            return await operation
        except Exception as error:
            self.is_bare |= is_bare(error)
            raise

    async def _step(self, sql: str, row: Row) -> list[int]:
        if row:
            return [found[0] for found in await self._raw.fetch(sql, *row)]
        await self._raw.execute(sql)
        return []

    async def _execute(self, sent: Sent, ahead: list[tuple[str, Row]], before: asyncio.Task[None] | None) -> None:
        try:
            if before is not None:
                await asyncio.wait((before,))
            async with asyncio.timeout(self.answer_seconds):
                await self._together(sent, ahead)
        except TimeoutError:
            sent.error = ConnectionError(f"no answer within {self.answer_seconds:g} s")
            self._raw.terminate()
        except FAILURES as error:
            sent.error = error
            self.is_bare |= is_bare(error)
        except BaseException:
            sent.error = ConnectionError("the connection was lost")
            self._raw.terminate()
            raise
        finally:
            sent.is_idle = not self._raw.is_in_transaction() if not self._raw.is_closed() else True
            self.is_spoiled = not sent.is_idle
            if not sent.done.done():
                sent.done.set_result(None)

    async def _together(self, sent: Sent, ahead: list[tuple[str, Row]]) -> None:
        """As PostgreSQL does with what comes in one round trip: outside of BEGIN and COMMIT it is one transaction."""
        if self._raw.is_closed():
            raise asyncpg.InterfaceError("the connection is closed")  # nothing was sent
        if self._raw.is_in_transaction() or ahead[0][0] == "BEGIN":
            for sql, row in ahead:
                if sql == "COMMIT":
                    sent.statuses.append((await self._raw.execute(sql)).encode())
                else:
                    sent.tags += await self._step(sql, row)
            return
        await self._raw.execute("BEGIN")
        try:
            for sql, row in ahead:
                sent.tags += await self._step(sql, row)
        except FAILURES:
            await self._raw.execute("ROLLBACK")
            raise
        await self._raw.execute("COMMIT")


async def fits(raw: Any, answer_seconds: float) -> bool:
    """Whether asyncpg is as a pipeline needs it; tried on this connection, which is of no use afterwards."""
    try:
        async with asyncio.timeout(answer_seconds):
            pipeline = Pipeline(raw, answer_seconds)
            pipeline.put("BEGIN")
            first = await pipeline.carry(raw.fetchval("SELECT 1"))
            is_begun = raw.is_in_transaction()
            pipeline.put("SELECT $1::int4", (2,))
            pipeline.put("COMMIT")
            sent = pipeline.send()
            third = await pipeline.carry(raw.fetchval("SELECT 3"))
            second = await sent.answer()
    except Exception:  # noqa: BLE001 - whatever it is, it does not fit
        return False
    return (first, is_begun, second, third, sent.status) == (1, True, [2], 3, b"COMMIT")
