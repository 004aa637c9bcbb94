"""One connection to a SQLite file in its three shapes: the driver's, SQLAlchemy's, and its asynchronous face."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.util.concurrency import greenlet_spawn

from ramet.storage.sqlite.dialect import InlineConnection, inline_engine
from ramet.storage.sqlite.writer import Writer


class Channel:
    """SQLAlchemy believes to be in one endless transaction; the real ones are begun and ended beneath it."""

    def __init__(self, raw: sqlite3.Connection, like: Channel | None) -> None:
        self.raw = raw
        self.driver = InlineConnection(raw)
        self.async_engine: AsyncEngine = inline_engine(self.driver, like.async_engine if like else None)
        self.engine = self.async_engine.sync_engine
        self.connection: Connection = self.engine.connect()
        self.facade = AsyncConnection(self.async_engine, self.connection)
        self.restart()

    @classmethod
    async def connect(cls, raw: sqlite3.Connection, like: Channel | None = None) -> Channel:
        """A channel that compiles statements together with `like`; SQLAlchemy first looks at it in a greenlet."""
        return await greenlet_spawn(cls, raw, like)

    def restart(self) -> None:
        """Begin SQLAlchemy's endless transaction again, where it has ended it."""
        if self.connection.closed:
            return
        if self.connection.in_nested_transaction() or not self.connection.in_transaction():
            on_rollback, self.driver.on_rollback = self.driver.on_rollback, None
            self.connection.rollback()
            self.connection.begin()
            self.driver.on_rollback = on_rollback

    def close(self) -> None:
        """Disconnect."""
        self.driver.on_rollback = self.driver.on_failure = None
        self.connection.close()
        self.engine.dispose()
        self.raw.close()


class Channels(NamedTuple):
    """What a unit works on: `writing` while it has the turn; before, `latest` (the same connection, when nobody has the
    turn) or `committed`."""

    writer: Writer
    writing: Channel
    latest: Channel
    committed: Channel
