"""ORM sessions whose transaction belongs to a unit of work, or to nobody because they only read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn, Protocol

from sqlalchemy import Connection, Engine, event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction

from ramet.errors import EffectInQuery, UsageError
from ramet.storage.statements import refuse_forbidden, writes


class Route(Protocol):
    """Gives the connection for a statement that writes, or what to read from."""

    def __call__(self, *, writing: bool) -> Connection | Engine: ...


Inside = tuple[SessionTransaction, ...]
"""The savepoints that somebody is in."""


class Savepoints:
    """The savepoints of one unit's work, which may be undone by themselves, while they are open.

    What is written beside a savepoint is undone with it, whoever does it: by `wrote` it learns of that, and where it
    is undone, they `are_mixed`. What is written inside of it, by tasks that began there as well, belongs to it.
    """

    def __init__(self) -> None:
        self.are_mixed = False
        self._open: dict[SessionTransaction, bool] = {}
        self._flushes: list[Inside] = []

    def begin(self, savepoint: SessionTransaction) -> None:
        """From now on."""
        self._open[savepoint] = False
        _inside.set((*(one for one in _inside.get() if one.is_active), savepoint))

    def wrote(self) -> None:
        """Something is written."""
        inside = _inside.get() if self._open else ()
        for savepoint in self._open:
            if savepoint not in inside:
                self._open[savepoint] = True

    @contextmanager
    def flushing(self) -> Iterator[None]:
        """Statements are written one after the other, with whatever else comes up between them."""
        self._flushes.append(inside := _inside.get())
        try:
            yield
        finally:
            self._flushes.remove(inside)
            self.wrote()

    def keep(self, savepoint: SessionTransaction | None) -> None:
        """It has come to a good end."""
        self._open.pop(savepoint, None)  # type: ignore[arg-type]  # None is no savepoint

    def end(self, savepoint: SessionTransaction) -> None:
        """However it has ended: where it was not kept, it is undone."""
        is_mixed = self._open.pop(savepoint, None)
        if is_mixed is not None:
            self.are_mixed |= is_mixed or any(savepoint not in inside for inside in self._flushes)


_inside: ContextVar[Inside] = ContextVar("ramet_inside", default=())


class RoutedSession(Session):
    """Asks its `route` for a connection at every statement; `savepoints` are those of its unit."""

    route: Route
    savepoints: Savepoints | None = None

    def get_bind(
        self,
        mapper: Any = None,  # noqa: ARG002 - SQLAlchemy's signature
        *,
        clause: Any = None,
        **_: Any,
    ) -> Connection | Engine:
        refuse_forbidden(clause)
        return self.route(writing=self._flushing or clause is None or writes(clause))

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        if self.savepoints is None or self._is_clean():
            return super().flush(objects)
        with self.savepoints.flushing():
            return super().flush(objects)

    def begin_nested(self) -> SessionTransaction:
        self.route(writing=True)
        savepoint = super().begin_nested()
        if self.savepoints is not None:
            self.savepoints.begin(savepoint)
        return savepoint


@event.listens_for(RoutedSession, "after_commit")
def _kept(session: RoutedSession) -> None:
    if session.savepoints is not None:
        session.savepoints.keep(session.get_nested_transaction())


@event.listens_for(RoutedSession, "after_transaction_end")
def _ended(session: RoutedSession, savepoint: SessionTransaction) -> None:
    if session.savepoints is not None:
        session.savepoints.end(savepoint)


class UnitSession(AsyncSession):
    """A session inside somebody else's transaction."""

    sync_session_class = RoutedSession

    async def commit(self) -> NoReturn:
        raise UsageError(
            "session.commit() was called on a session of Database: the work it belongs to is committed as a whole "
            "when it ends. Leave the call out; flush() sends the changes to the database at once."
        )

    async def rollback(self) -> NoReturn:
        raise UsageError(
            "session.rollback() was called on a session of Database: to undo the whole work raise a Refusal or another "
            "error; to undo a part of it put that part in `async with session.begin_nested()`."
        )


def new_session(route: Route, savepoints: Savepoints | None = None) -> UnitSession:
    """A session that begins and ends nothing itself, and cannot be used again once it is closed."""
    session = UnitSession(expire_on_commit=False, join_transaction_mode="rollback_only", close_resets_only=False)
    routed: RoutedSession = session.sync_session  # type: ignore[assignment]  # sync_session_class says so
    routed.route, routed.savepoints = route, savepoints
    return session


def forbid_flush(session: AsyncSession, service: str) -> None:
    """Make flushing a change an EffectInQuery."""

    def refuse(sync_session: Session, *_: Any) -> None:
        if sync_session.new or sync_session.deleted or any(map(sync_session.is_modified, sync_session.dirty)):
            raise EffectInQuery(
                f"A query of {service} changed objects of a session: queries have no effects. Make it a @command."
            )

    event.listen(session.sync_session, "before_flush", refuse)


@asynccontextmanager
async def reading_session(connection: Connection, service: str) -> AsyncIterator[AsyncSession]:
    """A session of a service on one connection that only reads; a change that it should flush raises EffectInQuery."""
    session = new_session(lambda **_: connection)
    forbid_flush(session, service)
    try:
        yield session
        await session.flush()
    finally:
        await session.close()
