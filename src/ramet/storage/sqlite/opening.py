"""What is done to a file when it is opened: Ramet's own tables are upgraded, and made where they are not there."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from ramet.storage.history import CREATE, NOTED, TABLE, History, Noted

_IS_NOTED = f"SELECT 1 FROM sqlite_master WHERE name = '{TABLE}'"


def prepare(raw: sqlite3.Connection, schema: Sequence[str], history: History, location: str) -> None:
    """In one transaction. Raises: StorageError where the tables are of a later release; sqlite3.Error. Closed then."""
    try:
        raw.execute("BEGIN IMMEDIATE")
        _prepare(raw, schema, history, location)
        raw.execute("COMMIT")
    except BaseException:
        raw.close()
        raise


def _prepare(raw: sqlite3.Connection, schema: Sequence[str], history: History, location: str) -> None:
    if history.steps:
        row = raw.execute(NOTED).fetchone() if raw.execute(_IS_NOTED).fetchone() else None
        noted = None if row is None else Noted(*row)
        for step in history.outstanding(noted, location):
            columns = {column[1] for column in raw.execute(f"PRAGMA table_info({step.table})")}
            if step.is_needed(columns):
                raw.execute(step.sql)
        if (note := history.note(noted)) is not None:
            raw.execute(CREATE)
            raw.execute(note)
    for statement in schema:
        raw.execute(statement)
