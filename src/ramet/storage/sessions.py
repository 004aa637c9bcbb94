"""ORM sessions whose transaction belongs to a unit of work, or to nobody because they only read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from sqlalchemy import Connection, Engine, event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction

from ramet.errors import EffectInQuery, UsageError

Route = Callable[[bool], "Connection | Engine"]
"""Gives the connection for a statement that writes (True), or what to read from (False)."""


class RoutedSession(Session):
    """Asks its `route` for a connection at every statement."""

    route: Route

    def get_bind(self, mapper: Any = None, *, clause: Any = None, bind: Any = None, **_: Any) -> Connection | Engine:  # noqa: ARG002
        return self.route(self._flushing or (clause is not None and writes(clause)))

    def begin_nested(self) -> SessionTransaction:
        self.route(True)
        return super().begin_nested()


class UnitSession(AsyncSession):
    """A session inside somebody else's transaction."""

    sync_session_class = RoutedSession

    async def commit(self) -> NoReturn:
        raise UsageError(
            "session.commit() was called on a session of Database: the work it belongs to is committed as a whole when it "
            "ends. Leave the call out; flush() sends the changes to the database at once."
        )

    async def rollback(self) -> NoReturn:
        raise UsageError(
            "session.rollback() was called on a session of Database: to undo the whole work raise a Refusal or another "
            "error; to undo a part of it put that part in `async with session.begin_nested()`."
        )


def writes(statement: Any) -> bool:
    """Whether this statement may write: everything but a SELECT that locks nothing."""
    if getattr(statement, "is_select", False):
        return getattr(statement, "_for_update_arg", None) is not None
    if getattr(statement, "is_text", False) or getattr(statement, "_is_text_clause", False):
        return not is_reading_sql(statement.text)
    return not getattr(statement, "_is_from_statement", False) or writes(statement.element)


def is_reading_sql(sql: str) -> bool:
    """Whether this text of SQL surely only reads."""
    word, rest = first_word(sql)
    if word == "WITH":
        return not any(verb in rest.upper() for verb in ("INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE"))
    return word in ("SELECT", "VALUES", "EXPLAIN", "SHOW") or (word == "PRAGMA" and "=" not in rest)


def first_word(sql: str) -> tuple[str, str]:
    """The first keyword of a text of SQL in capitals, comments skipped, and what follows."""
    sql = sql.lstrip(" \t\r\n(;")
    while sql.startswith(("--", "/*")):
        _, _, sql = sql.partition("\n" if sql.startswith("--") else "*/")
        sql = sql.lstrip(" \t\r\n(;")
    word, _, rest = sql.replace("\n", " ").replace("\t", " ").partition(" ")
    return word.upper().rstrip("(;"), rest


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
