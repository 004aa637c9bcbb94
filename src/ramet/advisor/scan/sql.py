"""Which tables a SQL statement reads and writes, by sqlglot."""

from __future__ import annotations

import importlib.util
import logging
import re
from functools import lru_cache
from typing import Any

USUAL = frozenset({"public", "dbo", "main"})
PLACEHOLDER = re.compile(r"%\(\w+\)s|%s|\{[^{}]*\}")


def can_read_sql() -> bool:
    """Whether sqlglot is installed (the extra `advisor`)."""
    return importlib.util.find_spec("sqlglot") is not None


@lru_cache(maxsize=1)
def _sqlglot() -> Any:
    import sqlglot

    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    return sqlglot


@lru_cache(maxsize=4096)
def touched(sql: str) -> tuple[tuple[str, bool], ...]:
    """Tables with whether they are written, sorted; empty for what is no SQL after all, or without sqlglot."""
    if not can_read_sql():
        return ()
    sqlglot = _sqlglot()
    try:
        statements = sqlglot.parse(PLACEHOLDER.sub("0", sql))
    except (sqlglot.errors.SqlglotError, RecursionError, ValueError, KeyError, IndexError, AttributeError, TypeError):
        return ()
    found: dict[str, bool] = {}
    for statement in filter(None, statements):
        _tables(sqlglot.exp, statement, found)
    return tuple(sorted(found.items()))


def _tables(exp: Any, statement: Any, found: dict[str, bool]) -> None:
    if not isinstance(statement, exp.Query | exp.Insert | exp.Update | exp.Delete | exp.Merge):
        return
    named = {one.alias for one in statement.find_all(exp.CTE)}
    written = set()
    for change in statement.find_all(exp.Insert, exp.Update, exp.Delete, exp.Merge):
        target = change.this.this if isinstance(change.this, exp.Schema) else change.this
        if isinstance(target, exp.Table):
            written.add(_full(target))
    for table in statement.find_all(exp.Table):
        if table.name and table.name not in named:
            name = _full(table)
            found[name] = found.get(name, False) or name in written


def _full(table: Any) -> str:
    """With its schema, where that is not the usual one."""
    return f"{table.db}.{table.name}" if table.db and table.db.lower() not in USUAL else str(table.name)
