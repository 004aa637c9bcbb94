"""A part: what one command of a lot sees as its unit of work."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from ramet.errors import OutsideWork
from ramet.storage.base import USED_TOO_LATE, Row, Unit, Write
from ramet.storage.lots.watching import Way
from ramet.telemetry.scope import Apart

if TYPE_CHECKING:  # SQLAlchemy is imported with the adapter
    from sqlalchemy import CursorResult, Executable
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession


class Shared(ABC):
    """What several parts have in common."""

    unit: Unit
    is_broken = False

    @abstractmethod
    def put(self, part: Part, statement: Executable, parameters: Any) -> Awaitable[CursorResult[Any]] | None:
        """Execute this together with the statements of others; None where it has to be executed by itself."""


class Part(Unit):
    """What one command of a lot sees as its unit of work: it may execute one statement, where that can be put."""

    def __init__(self, lot: Shared, way: Way, task: asyncio.Task[Any]) -> None:
        self._lot = lot
        self.way = way
        self.task = task
        self.cancelling = task.cancelling()
        self.writes: list[Write] = []
        self.notify: list[tuple[Callable[[], None], Callable[[], None] | None]] = []
        self.operations = 0
        self.is_put = False  # from then on it cannot leave without harm
        self.is_over = False
        self.is_cut = False
        self._is_waiting = False

    @property
    def conflicted(self) -> bool:  # type: ignore[override]  # it is the lot's
        return self._lot.unit.conflicted

    @property
    def committed(self) -> bool:  # type: ignore[override]  # as above
        return self._lot.unit.committed

    @property
    def busy(self) -> bool:
        return self._is_waiting

    async def run(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        result = None if self.operations or self.is_over else self._lot.put(self, statement, parameters)
        if result is None:
            self._cannot()
        self.operations, self._is_waiting = 1, True
        try:
            return await result
        finally:
            self._is_waiting = False

    def _cannot(self) -> NoReturn:
        """It is no part of a lot, as its method was taken for; where a statement of it was put, nobody is."""
        if self.is_over:
            raise OutsideWork(USED_TOO_LATE)
        if not self._lot.is_broken:
            self.way.singly.failed()
        self._lot.is_broken |= self.is_put
        raise Apart

    async def read(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:  # noqa: ARG002 - the port's
        self._cannot()

    async def fetch(self, sql: str, *parameters: Any) -> list[Row]:  # noqa: ARG002 - the port's
        self._cannot()

    async def execute(self, sql: str, *parameters: Any) -> int:  # noqa: ARG002 - the port's
        self._cannot()

    async def connection(self) -> AsyncConnection:
        self._cannot()

    @asynccontextmanager
    async def session(self, wrote: Callable[[], object] | None = None) -> AsyncIterator[AsyncSession]:  # noqa: ARG002 - the port's
        self._cannot()
        yield

    def defer(self, write: Write) -> None:
        self.writes.append(write)

    def after_commit(self, notify: Callable[[], None], unknown: Callable[[], None] | None = None) -> None:
        self.notify.append((notify, unknown))

    async def commit(self) -> None:
        raise NotImplementedError

    async def rollback(self) -> None:
        raise NotImplementedError
