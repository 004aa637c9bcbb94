"""Pure: which statements write, and which a service may not execute."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from ramet.errors import UsageError

_TRANSACTION = frozenset(
    ("BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE", "START", "ABORT", "ATTACH", "DETACH", "VACUUM")
)
_ENDING = frozenset(("BEGIN", "START", "COMMIT", "END", "PREPARE"))
_OUTLIVING = frozenset(("SET", "RESET", "DISCARD", "DEALLOCATE", "LISTEN", "UNLISTEN", "LOAD"))
_LASTING_LOCK = re.compile(r"\bpg_(?:try_)?advisory_lock(?:_shared)?\s*\(", re.IGNORECASE)
_ASKING = ("TABLE_", "INDEX_", "FOREIGN_KEY_", "INTEGRITY_CHECK", "QUICK_CHECK")
"""How those pragmas begin whose argument in parentheses is a question; with any other it is a setting."""


def writes(statement: Any) -> bool:
    """Whether this statement of SQLAlchemy may write: everything but what surely only reads, locking nothing."""
    if (element := getattr(statement, "element", None)) is not None:
        return writes(element)  # select(...).from_statement(...), text(...).columns(...)
    if getattr(statement, "is_select", False):
        return getattr(statement, "_for_update_arg", None) is not None
    if getattr(statement, "_is_text_clause", False):
        return not is_reading_sql(statement.text)
    return True


def gives_objects(statement: Any) -> bool:
    """Whether the rows of this statement hold mapped objects, which only a session can make."""
    attributes = getattr(statement, "_propagate_attrs", None)
    if not attributes or attributes.get("compile_state_plugin") != "orm":
        return False
    columns: Any = getattr(statement, "_raw_columns", None) or getattr(statement, "_returning", ())
    return hasattr(statement, "element") or any(getattr(column, "_is_from_clause", False) for column in columns)


def is_reading_sql(sql: str) -> bool:
    """Whether this text of SQL surely only reads.

    >>> is_reading_sql("-- all of them\\nselect * from item"), is_reading_sql("delete from item")
    (True, False)
    """
    word, rest = first_word(sql)
    if word == "WITH":
        return not any(verb in rest.upper() for verb in ("INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE"))
    if word == "SELECT":
        return "FOR UPDATE" not in rest.upper()
    return word in ("VALUES", "EXPLAIN", "SHOW") or (word == "PRAGMA" and not _sets(rest))


def _sets(pragma: str) -> bool:
    """Whether this pragma changes a setting of the connection, or of the database: `x = 1`, `x(1)`, `main.x(1)`."""
    name, parenthesis, _ = pragma.partition("(")
    return "=" in pragma or (bool(parenthesis) and not name.upper().rpartition(".")[2].strip().startswith(_ASKING))


def is_forbidden(statement: Any) -> bool:
    """Whether this is a text of SQL that begins or ends a transaction, or changes the connection others use as well."""
    if (element := getattr(statement, "element", None)) is not None:
        return is_forbidden(element)
    if not getattr(statement, "_is_text_clause", False):
        return False
    word, rest = first_word(statement.text)
    return word in _TRANSACTION or word == "SET" or (word == "PRAGMA" and _sets(rest))


@lru_cache(maxsize=1024)
def refuse_in_work(sql: str) -> None:
    """Whatever way it came: what would end the transaction, or outlive it on a connection that others use after it.

    Raises: UsageError.
    """
    word, rest = first_word(sql)
    following = rest.lstrip().upper()
    if word in _ENDING or (word in ("ROLLBACK", "ABORT") and "TO " not in following):
        raise UsageError(
            f"A service executed {sql.strip()!r}: its work is one transaction, which is committed when it ends and "
            "rolled back by an error. Leave the statement out; begin_nested() undoes a part."
        )
    if word in _OUTLIVING and not following.startswith(("LOCAL", "CONSTRAINTS", "TRANSACTION")):
        raise UsageError(
            f"A service executed {sql.strip()!r}, which others would find on the connection that they share with it: "
            "say SET LOCAL, or leave the statement out."
        )
    if _LASTING_LOCK.search(sql):
        raise UsageError(
            f"A service executed {sql.strip()!r}, whose lock would outlive its work: use pg_advisory_xact_lock, which "
            "is given back at the end of the transaction."
        )


def refuse_forbidden(statement: Any) -> None:
    """Raises: UsageError where the statement is forbidden."""
    if is_forbidden(statement):
        raise UsageError(
            f"A service executed {str(statement).strip()!r}: its work is one transaction, which is committed when it "
            "ends and rolled back by an error, on a connection that is shared. Leave the statement out."
        )


def first_word(sql: str) -> tuple[str, str]:
    """The first keyword of a text of SQL in capitals, comments skipped, and what follows."""
    sql = sql.lstrip(" \t\r\n(;")
    while sql.startswith(("--", "/*")):
        _, _, sql = sql.partition("\n" if sql.startswith("--") else "*/")
        sql = sql.lstrip(" \t\r\n(;")
    word, *rest = sql.split(None, 1) or [""]
    return word.upper().rstrip("(;"), rest[0] if rest else ""
