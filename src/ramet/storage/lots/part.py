"""A part: what one command of a lot sees as its unit of work, and how those of its method are run from then on."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from ramet.errors import OutsideWork
from ramet.storage.base import USED_TOO_LATE, Row, Unit, Write
from ramet.storage.lots.watching import Singly
from ramet.telemetry.scope import Apart

if TYPE_CHECKING:  # SQLAlchemy is imported with the adapter
    from sqlalchemy import CursorResult, Executable
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession


class Way:
    """How a method is run, by what was seen of it."""

    def __init__(self) -> None:
        self.singly = Singly()
        self.solitary = False
        self.is_brief = False
        """Its last command that was seen by itself has executed one statement: no other is ever in a lot."""
        self.waits = Singly()
        """How many are apart, since one that was in a lot had more to do."""

    def is_solitary(self) -> None:
        """It does more than to use its database."""
        self.solitary = True


class Shared(ABC):
    """What several parts have in common."""

    unit: Unit
    is_broken = False

    @abstractmethod
    def put(self, part: Part, statement: Executable, parameters: Any) -> Awaitable[CursorResult[Any]] | None:
        """Execute this together with the first statements of others; None where it has to wait for its turn."""

    @abstractmethod
    async def wait_for_unit(self, part: Part) -> None:
        """Wait until nobody else is at the unit. Raises: Apart where the lot is broken."""


class Part(Unit):
    """What one command of a lot sees as its unit of work."""

    def __init__(self, lot: Shared, way: Way, task: asyncio.Task[Any]) -> None:
        self._lot = lot
        self.way = way
        self.task = task
        self.cancelling = task.cancelling()
        self.writes: list[Write] = []
        self.notify: list[Callable[[], None]] = []
        self.operations = 0
        self.is_put = self.is_over = self.is_cut = self.has_unit = False
        self._is_waiting = False

    @property
    def conflicted(self) -> bool:  # type: ignore[override]  # it is the lot's
        return self._lot.unit.conflicted

    @property
    def committed(self) -> bool:  # type: ignore[override]  # as above
        return self._lot.unit.committed

    @property
    def busy(self) -> bool:
        return self._is_waiting or (self.has_unit and self._lot.unit.busy)

    @property
    def in_use(self) -> bool:
        return self._is_waiting or (self.has_unit and self._lot.unit.in_use)

    async def _free_unit(self) -> Unit:
        """The unit, when nobody else is at it."""
        if self.is_over:
            raise OutsideWork(USED_TOO_LATE)
        self.operations += 1
        if self.is_put or self._is_waiting:  # a second one, at once or later
            self.way.waits.failed()
            self._lot.is_broken = True
        if self._lot.is_broken:
            raise Apart
        if not self.has_unit:
            self._is_waiting = True
            try:
                await self._lot.wait_for_unit(self)
            finally:
                self._is_waiting = False
        return self._lot.unit

    async def run(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        if not (self.operations or self.has_unit or self.is_over):
            result = self._lot.put(self, statement, parameters)
            if result is not None:
                self.operations, self._is_waiting = 1, True
                try:
                    return await result
                finally:
                    self._is_waiting = False
        return await (await self._free_unit()).run(statement, parameters)

    async def read(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        return await (await self._free_unit()).read(statement, parameters)

    async def fetch(self, sql: str, *parameters: Any) -> list[Row]:
        return await (await self._free_unit()).fetch(sql, *parameters)

    async def execute(self, sql: str, *parameters: Any) -> int:
        return await (await self._free_unit()).execute(sql, *parameters)

    async def connection(self) -> AsyncConnection:
        return await (await self._free_unit()).connection()

    @asynccontextmanager
    async def session(self, wrote: Callable[[], object] | None = None) -> AsyncIterator[AsyncSession]:
        unit = await self._free_unit()
        self.operations += 1  # of which nobody knows how many it executes
        async with unit.session(wrote) as session:
            yield session

    def defer(self, write: Write) -> None:
        self.writes.append(write)

    def after_commit(self, notify: Callable[[], None]) -> None:
        self.notify.append(notify)

    async def commit(self) -> None:
        raise NotImplementedError

    async def rollback(self) -> None:
        raise NotImplementedError
