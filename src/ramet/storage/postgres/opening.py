"""What is done to a schema when it is opened: Ramet's own tables are upgraded, and made where they are not there."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from typing import Any

from ramet.storage.address import quoted
from ramet.storage.history import CREATE, NOTED, TABLE, History, Noted
from ramet.storage.postgres.sql import table

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
_HAS_SCHEMA = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1"
_RELATIONS = """SELECT relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1"""
_COLUMNS = """SELECT attname FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped"""
_CREATED = re.compile(r"\s*CREATE\s+(?:UNIQUE\s+)?(?:TABLE|INDEX)\s+IF\s+NOT\s+EXISTS\s+(\w+)", re.IGNORECASE)
_PATIENCE = "SET LOCAL lock_timeout = '5s'"
"""Those that work are not to queue up for longer behind a step that waits for one of them."""


async def prepare(raw: Any, name: str, schema: Sequence[str], history: History, location: str) -> None:
    """In one transaction; replicas that start together do it one after the other.

    What is there is not touched: `CREATE INDEX IF NOT EXISTS` would lock its table against those who work, even so.
    Raises: StorageError where the tables are of a later release; asyncpg's errors.
    """
    async with raw.transaction():
        await raw.execute(LOCK, f"ramet {name}")
        if await raw.fetchval(_HAS_SCHEMA, name) is None:
            await raw.execute(f"CREATE SCHEMA {quoted(name)}")
        there = {row[0] for row in await raw.fetch(_RELATIONS, name)}
        if history.steps:
            await _upgrade(raw, name, there, history, location)
        missing = [table(sql) for sql in schema if not _exists(sql, there)]
        if missing:
            await raw.execute(";\n".join(missing))


async def _upgrade(raw: Any, name: str, there: Container[str], history: History, location: str) -> None:
    row = await raw.fetchrow(NOTED) if TABLE in there else None
    noted = None if row is None else Noted(*row)
    steps = [step for step in history.outstanding(noted, location) if step.table in there]
    if steps:
        await raw.execute(_PATIENCE)
    for step in steps:
        if step.is_needed({row[0] for row in await raw.fetch(_COLUMNS, name, step.table)}):
            await raw.execute(table(step.sql))
    if (note := history.note(noted)) is not None:
        await raw.execute(f"{CREATE};\n{note}")


def _exists(sql: str, there: Container[str]) -> bool:
    """Whether what this statement creates is there already."""
    created = _CREATED.match(sql)
    return created is not None and created[1].lower() in there
