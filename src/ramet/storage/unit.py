"""What a unit of work is on every engine: the rows it defers, whom it tells of its commit, its ORM sessions."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.util.concurrency import await_

from ramet.errors import CommitUnknown
from ramet.storage.base import Unit, Write
from ramet.storage.sessions import Savepoints, UnitSession, new_session

MIXED = (
    "The transaction was rolled back: a part of it, in begin_nested(), was undone, and with it what was written beside "
    "it. Write the one after the other."
)

SEVERAL = 2


class EngineUnit(Unit):
    """The part of a unit that no engine changes; an engine adds its transaction."""

    def __init__(self) -> None:
        self.conflicted = self.committed = False
        self.operations = 0
        self._ended = False
        self._deferred: list[Write] = []
        self._notify: list[tuple[Callable[[], None], Callable[[], None] | None]] = []
        self._sessions: list[UnitSession] = []
        self._savepoints = Savepoints()

    def defer(self, write: Write) -> None:
        self._deferred.append(write)

    def after_commit(self, notify: Callable[[], None], unknown: Callable[[], None] | None = None) -> None:
        self._notify.append((notify, unknown))

    @asynccontextmanager
    async def session(self, wrote: Callable[[], object] | None = None) -> AsyncIterator[AsyncSession]:
        def route(*, writing: bool) -> Connection | Engine:  # called inside SQLAlchemy's greenlet
            if writing and wrote is not None:
                wrote()
            connection = await_(self._route(writing=writing))
            if writing:
                self._savepoints.wrote()
            return connection

        self.operations += SEVERAL
        session = new_session(route, self._savepoints)
        self._sessions.append(session)
        try:
            yield session
            await session.flush()
        except BaseException as error:
            self._session_failed(error)
            raise
        finally:
            self._sessions.remove(session)
            await session.close()

    @abstractmethod
    async def _route(self, *, writing: bool) -> Connection | Engine:
        """What a session's statement is executed on; one that writes begins the transaction."""

    def _session_failed(self, error: BaseException) -> None:
        """Note what this means for the unit, before the session is closed; may raise something else instead."""

    def _durable(self) -> None:
        """Everything is committed."""
        self.committed = True
        self._tell(notify for notify, _ in self._notify)

    def _came_to(self, problem: BaseException | None) -> None:
        """What the commit was answered with."""
        if problem is None:
            self._durable()
        elif isinstance(problem, CommitUnknown):
            self._tell(unknown for _, unknown in self._notify if unknown is not None)

    @staticmethod
    def _tell(listeners: Iterable[Callable[[], None]]) -> None:
        for tell in listeners:
            try:
                tell()
            except Exception as error:  # noqa: BLE001 - whoever listens must not undo what is durable
                asyncio.get_running_loop().call_exception_handler(
                    {"message": "after_commit failed", "exception": error}
                )

    def _leave(self) -> None:
        """Nothing more is done in it."""
        for session in self._sessions:
            session.sync_session.close()
        self._ended = True
