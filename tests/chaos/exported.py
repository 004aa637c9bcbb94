"""The schemas of a PostgreSQL database as SQLite files, so that one audit reads the books of every placement."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg

_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = $1 AND table_type = 'BASE TABLE'"
_SCHEMAS = """SELECT schema_name FROM information_schema.schemata
    WHERE schema_name NOT LIKE 'pg_%' AND schema_name NOT IN ('information_schema', 'public')"""


async def export(url: str, folder: Path) -> None:
    """Write `<schema>.sqlite` for each schema, all of one moment."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            for (schema,) in await connection.fetch(_SCHEMAS):
                await _export_schema(connection, schema, folder / f"{schema}.sqlite")
    finally:
        await connection.close()


async def _export_schema(connection: asyncpg.Connection, schema: str, file: Path) -> None:
    file.unlink(missing_ok=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as copy:
        for (table,) in await connection.fetch(_TABLES, schema):
            statement = await connection.prepare(f'SELECT * FROM "{schema}"."{table}"')
            names = [f'"{one.name}"' for one in statement.get_attributes()]
            if not names:  # a marker without columns
                continue
            copy.execute(f'CREATE TABLE "{table}" ({", ".join(names)})')
            places = ", ".join("?" * len(names))
            rows = [tuple(map(_plain, row.values())) for row in await statement.fetch()]
            copy.executemany(f'INSERT INTO "{table}" VALUES ({places})', rows)
        copy.commit()


def _plain(value: Any) -> Any:
    """A value as SQLite keeps it."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime | date):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    return value if value is None or isinstance(value, int | float | str | bytes) else str(value)
