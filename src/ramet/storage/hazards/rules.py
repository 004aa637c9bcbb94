"""Pure: what a statement, or an action of ALTER TABLE, does to those who work meanwhile, and what there is instead.

The rules are those of strong_migrations and squawk, as far as they can be seen in the SQL.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ramet.storage.hazards.reading import NAME


class Rule(NamedTuple):
    """What harms: its name, how it is spelt, why it does, the way around it, and what makes it harmless."""

    name: str
    pattern: re.Pattern[str]
    why: str
    instead: str
    unless: re.Pattern[str] | None = None

    def matches(self, text: str) -> bool:
        """Whether this text harms so."""
        return bool(self.pattern.search(text)) and not (self.unless and self.unless.search(text))


_FLAGS = re.IGNORECASE | re.DOTALL
_WORDS = {
    "@NAME": NAME,
    "@ADD": r"^ADD\s+(?:COLUMN\s+)?+(?:IF\s+NOT\s+EXISTS\s+)?+"
    rf"(?!(?:CONSTRAINT|CHECK|FOREIGN|UNIQUE|PRIMARY|EXCLUDE)\b){NAME}",
}


def _spelt(pattern: str) -> re.Pattern[str]:
    for word, meaning in _WORDS.items():
        pattern = pattern.replace(word, meaning)
    return re.compile(pattern, _FLAGS)


def _rule(name: str, pattern: str, why: str, instead: str, unless: str | None = None) -> Rule:
    return Rule(name, _spelt(pattern), why, instead, _spelt(unless) if unless else None)


_IN_STEPS = "add a new one, fill it, let the next release use it, and drop the old one in the release after."
_INDEX_FIRST = "create a unique index with CREATE UNIQUE INDEX CONCURRENTLY before the release, and add it USING INDEX."
_VALIDATE = "add it NOT VALID, and VALIDATE CONSTRAINT in a later migration, which locks nobody out."
_NOT_USED = "release a version that does not use it, and drop it in the release after."
_BY_HAND = "execute it by hand before the release, and let the migration say if_not_exists=True."
_WINDOW = "do it in a maintenance window."
_STAYS = "all pending migrations are one transaction, and what was done before this stays where one of them fails."

COMPUTED = _rule(
    "add-computed-column",
    r"@ADD(?:\s+(?:BIG|SMALL)?SERIAL\b|.*(?:\bGENERATED\b(?!.*\bVIRTUAL\b)|\bAS\s+IDENTITY\b))",
    "a value that differs from row to row rewrites the whole table while nobody can read it.",
    "add the column without a default, set the default, and fill the rows in parts.",
)

ACTIONS = (
    _rule(
        "add-required-column",
        r"@ADD.*\bNOT\s+NULL\b",
        "a column that is required and has no default fails where there are rows, and for the running version, which "
        "does not fill it.",
        "add it nullable or with a server_default, fill it, and require it in a later release.",
        r"\bDEFAULT\b(?!\s+NULL\b)|\bGENERATED\b|@ADD\s+(?:BIG|SMALL)?SERIAL\b",
    ),
    COMPUTED,
    _rule(
        "add-unique-column",
        r"@ADD.*\b(?:UNIQUE|PRIMARY\s+KEY)\b",
        "the index behind it is built while nobody can read the table.",
        _INDEX_FIRST,
    ),
    _rule(
        "drop-column",
        r"^DROP\s+(?:COLUMN\s+)?(?!CONSTRAINT\b)",
        "the running version still reads and writes the column.",
        _NOT_USED,
    ),
    _rule(
        "change-type",
        r"^ALTER\s+(?:COLUMN\s+)?@NAME\s+(?:SET\s+DATA\s+)?TYPE\b",
        "most changes of a type rewrite the whole table while nobody can read it, and the running version expects the "
        "old one (a longer varchar, or text instead of it, is harmless).",
        _IN_STEPS,
    ),
    _rule(
        "set-not-null",
        r"^ALTER\s+(?:COLUMN\s+)?@NAME\s+SET\s+NOT\s+NULL",
        "every row is checked while nobody can read the table, and the running version may still write NULL.",
        "add CHECK (column IS NOT NULL) NOT VALID, validate it in a later migration, then set NOT NULL and drop it.",
    ),
    _rule(
        "rename", r"^(?:RENAME\b(?!\s+CONSTRAINT)|SET\s+SCHEMA\b)", "the running version uses the old name.", _IN_STEPS
    ),
    _rule(
        "constraint-checks-rows",
        r"^ADD\s+(?:CONSTRAINT\s+@NAME\s+)?(?:CHECK|FOREIGN\s+KEY)\b"
        r"|@ADD.*(?:\bCHECK\b|\bDEFAULT\b(?!\s+NULL).*\bREFERENCES\b|\bREFERENCES\b.*\sDEFAULT\b(?!\s+NULL))",
        "every row is checked while nobody can write to the table.",
        _VALIDATE,
        r"\bNOT\s+VALID\b|\bON\s+(?:DELETE|UPDATE)\s+SET\s+DEFAULT\b(?!.*[^T]\s+DEFAULT\b)",
    ),
    _rule(
        "constraint-builds-index",
        r"^ADD\s+(?:CONSTRAINT\s+@NAME\s+)?(?:UNIQUE|PRIMARY\s+KEY|EXCLUDE)\b",
        "the index behind it is built while nobody can read the table.",
        _INDEX_FIRST,
        r"\bUSING\s+INDEX\b",
    ),
    _rule(
        "detach-partition",
        r"^DETACH\s+PARTITION\b(?!.*\bCONCURRENTLY\b)",
        "it waits for everybody who uses the table, and the running version still reads the rows.",
        "execute DETACH PARTITION … CONCURRENTLY by hand after the release.",
    ),
    _rule(
        "concurrently-in-transaction",
        r"^DETACH\s+PARTITION\b.*\bCONCURRENTLY\b",
        "a migration is one transaction, in which CONCURRENTLY is refused.",
        "execute it by hand after the release.",
    ),
    _rule(
        "rewrite",
        r"^(?:SET\s+(?:TABLESPACE|LOGGED|UNLOGGED|ACCESS\s+METHOD)|ALTER\s+(?:COLUMN\s+)?@NAME\s+SET\s+EXPRESSION)\b",
        "the whole table is written anew while nobody can read it.",
        "do it in a maintenance window, or move the rows to a new table in parts.",
    ),
)
"""What one action of ALTER TABLE may do."""

ATTACHED = _rule(
    "attach-partition",
    r"^ATTACH\s+PARTITION\s+(?P<table>@NAME)",
    "every row of it is checked while nobody can read it, unless a valid CHECK says already that all belong there.",
    "attach a table that the same migration creates, or add that CHECK NOT VALID and validate it in migrations before.",
)
UNFILLED = _rule(
    "drop-default",
    r"^ALTER\s+(?:COLUMN\s+)?(?P<column>@NAME)\s+DROP\s+DEFAULT\b",
    "the column is new and required, and the running version, which does not fill it, needs the default.",
    "keep the default, and drop it in the release after.",
)
ADDED = _spelt(r"^ADD\s+(?:COLUMN\s+)?+(?:IF\s+NOT\s+EXISTS\s+)?+(?P<column>@NAME).*\bNOT\s+NULL\b")
"""How a required column is added."""
SEVERAL = _rule(
    "several-statements",
    r"",
    "PostgreSQL is given one statement at a time, and refuses several in one text.",
    "say op.execute for each of them.",
)
VALIDATED = _rule(
    "validate-at-once",
    r"^VALIDATE\b",
    "the lock that adding the constraint took is held while every row is checked.",
    "validate it in a migration of a later release.",
)

STATEMENTS = (
    _rule(
        "concurrently-in-transaction",
        r"^(?:CREATE|DROP|REINDEX)\b.*\bCONCURRENTLY\b",
        "a migration is one transaction, in which CONCURRENTLY is refused.",
        _BY_HAND,
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
    _rule("drop-table", r"^DROP\s+TABLE\b", "the running version still reads and writes the table.", _NOT_USED),
    _rule(
        "drop-object",
        r"^DROP\s+(?:MATERIALIZED\s+)?(?:VIEW|TYPE|DOMAIN|SEQUENCE|FUNCTION|PROCEDURE|ROUTINE|AGGREGATE|SCHEMA)\b",
        "the running version may still use it.",
        _NOT_USED,
    ),
    _rule(
        "lock",
        r"^(?:LOCK|TRUNCATE|CLUSTER|REINDEX(?!.*\bCONCURRENTLY\b)|VACUUM\s+(?:FULL\b|\([^)]*\bFULL\b)"
        r"|REFRESH\s+MATERIALIZED\s+VIEW(?!\s+CONCURRENTLY))",
        "nobody else can use the table meanwhile.",
        _WINDOW,
    ),
    _rule(
        "rename",
        r"^ALTER\s+(?:TYPE|VIEW|MATERIALIZED\s+VIEW|FUNCTION|PROCEDURE)\b.*\b(?:RENAME|SET\s+SCHEMA)\b",
        "the running version uses the old name.",
        _IN_STEPS,
    ),
    _rule(
        "constraint-checks-rows",
        r"^ALTER\s+DOMAIN\b.*(?:\bADD\b|\bSET\s+NOT\s+NULL\b)",
        "every row of every table that has it is checked while nobody can write to them.",
        _VALIDATE,
        r"\bNOT\s+VALID\b",
    ),
    _rule(
        "ends-transaction",
        r"^(?:BEGIN|START\s+TRANSACTION|COMMIT|END|ROLLBACK(?!\s+TO\b)|ABORT|PREPARE\s+TRANSACTION)\b",
        _STAYS,
        "leave it out, and execute by hand before the release what cannot be in a transaction.",
    ),
    _rule(
        "unreadable",
        r"^EXECUTE\b",
        "what it executes is made while it runs, and cannot be read here.",
        "see what that is, and end its line in `# assured: REASON`.",
    ),
)
"""What a whole statement may do."""

EVERY_ROW = _rule(
    "every-row",
    r"^(?:UPDATE|DELETE)\b(?!.*\bWHERE\b)",
    "it locks every row until the migration ends.",
    "change the rows in parts, outside the migration.",
)
"""Judged without what stands in parentheses, where a condition is somebody else's."""

_DEFAULT = re.compile(r"\bDEFAULT\s+(.*)", _FLAGS)
_AFTER_DEFAULT = re.compile(r"\b(?:NOT\s+NULL|CONSTRAINT|CHECK|UNIQUE|PRIMARY\s+KEY|REFERENCES|GENERATED)\b", _FLAGS)
_CALL = re.compile(r"\b(\w+)\"?\s*\(", _FLAGS)
_ONCE = re.compile(
    r"now|(?:current|local)_?(?:timestamp|time|date)|(?:transaction|statement)_timestamp|current_setting|timezone"
    r"|date_(?:trunc|part)|extract|age|to_(?:timestamp|date|char|jsonb?)|make_(?:date|time|interval|timestamp(?:tz)?)"
    r"|cast|coalesce|nullif|greatest|least|lower|upper|concat|md5|(?:char_)?length|b?trim|replace|repeat|substr(?:ing)?"
    r"|abs|round|floor|ceil(?:ing)?|jsonb?_build_(?:object|array)|array_fill|row"
    r"|numeric|decimal|(?:var|bp)?char|character|varying|bit|time|timestamp|interval|float|precision",
    _FLAGS,
)
"""Functions whose value is the same for all rows of a statement, and types that are written with parentheses."""


def is_computed(action: str) -> bool:
    """Whether a column is added whose default PostgreSQL has to ask for each row that is there.

    >>> is_computed("ADD COLUMN id UUID DEFAULT gen_random_uuid()"), is_computed("ADD COLUMN at DATE DEFAULT now()")
    (True, False)
    """
    if COMPUTED.matches(action):
        return True
    found = _DEFAULT.search(action) if action.upper().startswith("ADD") else None
    if found is None:
        return False
    return not all(_ONCE.fullmatch(name) for name in _CALL.findall(_AFTER_DEFAULT.split(found[1])[0]))
