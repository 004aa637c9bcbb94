"""ORM sessions whose transaction belongs to a unit of work, or to nobody because they only read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NoReturn, Protocol

from sqlalchemy import Connection, Engine, event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction

from ramet.errors import EffectInQuery, UsageError
from ramet.storage.statements import refuse_forbidden, writes


class Route(Protocol):
    """Gives the connection for a statement that writes, or what to read from."""

    def __call__(self, *, writing: bool) -> Connection | Engine: ...


class RoutedSession(Session):
    """Asks its `route` for a connection at every statement."""

    route: Route

    def get_bind(
        self,
        mapper: Any = None,  # noqa: ARG002 - SQLAlchemy's signature
        *,
        clause: Any = None,
        **_: Any,
    ) -> Connection | Engine:
        refuse_forbidden(clause)
        return self.route(writing=self._flushing or clause is None or writes(clause))

    def begin_nested(self) -> SessionTransaction:
        self.route(writing=True)
        return super().begin_nested()


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


def new_session(route: Route) -> UnitSession:
    """A session that begins and ends nothing itself, and cannot be used again once it is closed."""
    session = UnitSession(expire_on_commit=False, join_transaction_mode="rollback_only", close_resets_only=False)
    session.sync_session.route = route  # type: ignore[attr-defined]  # sync_session_class says so
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
