"""Pure: which statements of a migration lock a table of PostgreSQL, or break the version that is still running.

The rules are those of strong_migrations and squawk, as far as they can be seen in the SQL. Tables that the same
transaction creates are nobody's yet, and what is done to them harms nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

import msgspec

_NAME = r'(?:"(?:[^"]|"")+"|[\w.])+'
_NOISE = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_TEXT = re.compile(r"'(?:[^']|'')*'")


class Statement(NamedTuple):
    """A statement of a migration, and where it is written."""

    sql: str
    file: str
    line: int


class Hazard(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement does to those who work meanwhile, and how the same is reached without."""

    rule: str
    file: str
    line: int
    sql: str
    why: str
    instead: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.why} Instead: {self.instead} [{self.rule}]"


class _Rule(NamedTuple):
    name: str
    pattern: re.Pattern[str]
    why: str
    instead: str
    unless: re.Pattern[str] | None = None


def _rule(name: str, pattern: str, why: str, instead: str, unless: str | None = None) -> _Rule:
    flags = re.IGNORECASE | re.DOTALL
    compiled = re.compile(unless, flags) if unless else None
    return _Rule(name, re.compile(pattern.replace("NAME", _NAME), flags), why, instead, compiled)


_IN_STEPS = "add a new one, fill it, let the next release use it, and drop the old one in the release after."
_INDEX_FIRST = "create a unique index with CREATE UNIQUE INDEX CONCURRENTLY before the release, and add it USING INDEX."
_VALIDATE = "add it NOT VALID, and VALIDATE CONSTRAINT in a later migration, which locks nobody out."

ACTIONS = (
    _rule(
        "add-required-column",
        r"^ADD\s+(?:COLUMN\s+)?(?!CONSTRAINT\b).*\bNOT\s+NULL\b",
        "a column that is required and has no default fails where there are rows, and for the running version, which "
        "does not fill it.",
        "add it nullable or with a server_default, fill it, and require it in a later release.",
        r"\bDEFAULT\b|\bGENERATED\b|\b(?:BIG|SMALL)?SERIAL\b",
    ),
    _rule(
        "add-computed-column",
        r"^ADD\s+(?:COLUMN\s+)?(?!CONSTRAINT\b).*(?:\bDEFAULT\s+\(*(?!now\b|current_timestamp\b)[a-z_.]+\s*\("
        r"|\bGENERATED\b.*\bSTORED\b|\b(?:BIG|SMALL)?SERIAL\b|\bAS\s+IDENTITY\b)",
        "a value that differs from row to row rewrites the whole table while nobody can read it.",
        "add the column without a default, set the default, and fill the rows in parts.",
    ),
    _rule(
        "add-unique-column",
        r"^ADD\s+(?:COLUMN\s+)?(?!CONSTRAINT\b|UNIQUE\b|PRIMARY\b).*\b(?:UNIQUE|PRIMARY\s+KEY)\b",
        "the index behind it is built while nobody can read the table.",
        _INDEX_FIRST,
    ),
    _rule(
        "drop-column",
        r"^DROP\s+(?:COLUMN\s+)?(?!CONSTRAINT\b)",
        "the running version still reads and writes the column.",
        "release a version that does not use it, and drop it in the release after.",
    ),
    _rule(
        "change-type",
        r"^ALTER\s+(?:COLUMN\s+)?NAME\s+(?:SET\s+DATA\s+)?TYPE\b",
        "most changes of a type rewrite the whole table while nobody can read it, and the running version expects the "
        "old one (a longer varchar, or text instead of it, is harmless).",
        _IN_STEPS,
    ),
    _rule(
        "set-not-null",
        r"^ALTER\s+(?:COLUMN\s+)?NAME\s+SET\s+NOT\s+NULL",
        "every row is checked while nobody can read the table, and the running version may still write NULL.",
        "add CHECK (column IS NOT NULL) NOT VALID, validate it in a later migration, then set NOT NULL and drop it.",
    ),
    _rule("rename", r"^RENAME\b(?!\s+CONSTRAINT)", "the running version uses the old name.", _IN_STEPS),
    _rule(
        "constraint-checks-rows",
        r"^ADD\s+(?:CONSTRAINT\s+NAME\s+)?(?:CHECK|FOREIGN\s+KEY)\b",
        "every row is checked while nobody can write to the table.",
        _VALIDATE,
        r"\bNOT\s+VALID\b",
    ),
    _rule(
        "constraint-builds-index",
        r"^ADD\s+(?:CONSTRAINT\s+NAME\s+)?(?:UNIQUE|PRIMARY\s+KEY|EXCLUDE)\b",
        "the index behind it is built while nobody can read the table.",
        _INDEX_FIRST,
        r"\bUSING\s+INDEX\b",
    ),
    _rule(
        "rewrite",
        r"^SET\s+(?:TABLESPACE|LOGGED|UNLOGGED|ACCESS\s+METHOD)\b",
        "the whole table is written anew while nobody can read it.",
        "do it in a maintenance window, or move the rows to a new table in parts.",
    ),
)
"""What one action of ALTER TABLE may do."""

STATEMENTS = (
    _rule(
        "concurrently-in-transaction",
        r"^(?:CREATE|DROP|REINDEX)\b.*\bCONCURRENTLY\b",
        "a migration is one transaction, in which CONCURRENTLY is refused.",
        "execute it by hand before the release, and let the migration say if_not_exists=True.",
    ),
    _rule(
        "create-index",
        r"^CREATE\s+(?:UNIQUE\s+)?INDEX\b(?!\s+CONCURRENTLY|\s+IF\s+NOT\s+EXISTS)",
        "nobody can write to the table while the index is built.",
        "execute CREATE INDEX CONCURRENTLY by hand before the release, and let the migration say if_not_exists=True.",
    ),
    _rule(
        "drop-index",
        r"^DROP\s+INDEX\b(?!\s+CONCURRENTLY|\s+IF\s+EXISTS)",
        "it waits for everybody who uses the table, and everybody else waits behind it.",
        "execute DROP INDEX CONCURRENTLY by hand after the release, and let the migration say if_exists=True.",
    ),
    _rule(
        "drop-table",
        r"^DROP\s+TABLE\b",
        "the running version still reads and writes the table.",
        "release a version that does not use it, and drop it in the release after.",
    ),
    _rule(
        "every-row",
        r"^(?:UPDATE|DELETE)\b(?!.*\bWHERE\b)",
        "it locks every row until the migration ends.",
        "change the rows in parts, outside the migration.",
    ),
    _rule(
        "lock",
        r"^(?:LOCK|TRUNCATE|CLUSTER|REINDEX|VACUUM\s+FULL|REFRESH\s+MATERIALIZED\s+VIEW(?!\s+CONCURRENTLY))\b",
        "nobody else can use the table meanwhile.",
        "do it in a maintenance window.",
    ),
    _rule("rename", r"^ALTER\s+(?:TYPE|VIEW)\b.*\bRENAME\b", "the running version uses the old name.", _IN_STEPS),
)
"""What a whole statement may do."""

_ALTER = re.compile(
    rf"^ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?(?P<table>{_NAME})\s+(?P<rest>.*)$", re.IGNORECASE | re.DOTALL
)
_CREATED = re.compile(rf"^CREATE\s+(?:\w+\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?P<table>{_NAME})", re.IGNORECASE)
_ON = re.compile(
    rf"^(?:CREATE\b.*?\bON\s+(?:ONLY\s+)?|UPDATE\s+(?:ONLY\s+)?|DELETE\s+FROM\s+(?:ONLY\s+)?|"
    rf"DROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?|(?:LOCK|TRUNCATE)\s+(?:TABLE\s+)?)(?P<table>{_NAME})",
    re.IGNORECASE | re.DOTALL,
)
_NOT_VALID = re.compile(r"\bNOT\s+VALID\b", re.IGNORECASE)


def hazards(statements: Iterable[Statement]) -> tuple[Hazard, ...]:
    """What the statements of all pending migrations, which are one transaction, do to those who work meanwhile."""
    created, unchecked, found = set[str](), set[str](), list[Hazard]()
    for statement in statements:
        sql = normalised(statement.sql)
        if match := _CREATED.match(sql):
            created.add(_plain(match["table"]))
            continue
        if match := _ALTER.match(sql):
            table = _plain(match["table"])
            if table not in created:
                found += _of_actions(statement, table, match["rest"], unchecked)
            continue
        if (match := _ON.match(sql)) and _plain(match["table"]) in created:
            continue
        found += _matching(statement, sql, STATEMENTS)
    return tuple(found)


def hazards_one_by_one(statements: Iterable[Statement]) -> tuple[Hazard, ...]:
    """What each migration does where those before it were deployed already, so that their tables are in use."""
    each = groupby(statements, lambda statement: statement.file)
    return tuple(hazard for _, of_one in each for hazard in hazards(of_one))


def _of_actions(statement: Statement, table: str, text: str, unchecked: set[str]) -> Iterator[Hazard]:
    for action in actions(text):
        yield from _matching(statement, action, ACTIONS)
        if _NOT_VALID.search(action):
            unchecked.add(table)
        elif action.upper().startswith("VALIDATE") and table in unchecked:
            yield _hazard(
                statement,
                "validate-at-once",
                "the lock that adding the constraint took is held while every row is checked.",
                "validate it in a migration of a later release.",
            )


def _matching(statement: Statement, text: str, rules: Iterable[_Rule]) -> Iterator[Hazard]:
    for rule in rules:
        if rule.pattern.search(text) and not (rule.unless and rule.unless.search(text)):
            yield _hazard(statement, rule.name, rule.why, rule.instead)


def _hazard(statement: Statement, rule: str, why: str, instead: str) -> Hazard:
    sql, file, line = statement
    return Hazard(rule=rule, file=file, line=line, sql=" ".join(sql.split()), why=why, instead=instead)


def normalised(sql: str) -> str:
    """A statement in one line, without comments, with empty texts.

    >>> normalised("ALTER TABLE item -- soon\\n ADD note text DEFAULT 'a, b';")
    "ALTER TABLE item ADD note text DEFAULT ''"
    """
    return " ".join(_TEXT.sub("''", _NOISE.sub(" ", sql)).split()).rstrip("; ")


def actions(text: str) -> list[str]:
    """The actions of one ALTER TABLE, which commas outside parentheses separate.

    >>> actions("ADD a numeric(4, 2), DROP b")
    ['ADD a numeric(4, 2)', 'DROP b']
    """
    parts, depth, start = [], 0, 0
    for position, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(text[start:position].strip())
            start = position + 1
    return [*parts, text[start:].strip()]


def _plain(name: str) -> str:
    """A table's name, without its schema and quotes."""
    return name.rpartition(".")[2].strip('"').lower()
