"""Pure: from the statements of migrations to what they do to those who work meanwhile.

What the same transaction creates is nobody's yet, and what is done to it harms nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

import msgspec

from ramet.storage.hazards import reading, rules
from ramet.storage.hazards.reading import NAME, plain
from ramet.storage.hazards.rules import Rule


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


_FLAGS = re.IGNORECASE | re.DOTALL
_KINDS = r"TABLE|MATERIALIZED\s+VIEW|VIEW|TYPE|DOMAIN|SEQUENCE|FUNCTION|PROCEDURE|ROUTINE|AGGREGATE|SCHEMA"
_ALTER = re.compile(rf"^ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?(?P<name>{NAME})\s+(?P<rest>.*)$", _FLAGS)
_CREATED = re.compile(
    rf"^CREATE\s+(?:OR\s+REPLACE\s+)?(?:(?:GLOBAL|LOCAL|TEMP|TEMPORARY|UNLOGGED|RECURSIVE)\s+)*(?P<kind>{_KINDS})\s+"
    rf"(?:IF\s+NOT\s+EXISTS\s+)?(?P<name>{NAME})",
    _FLAGS,
)
_INDEX = re.compile(rf"^CREATE\s+(?:UNIQUE\s+)?INDEX\s+(?:IF\s+NOT\s+EXISTS\s+)?(?P<name>{NAME})\s+ON\b", _FLAGS)
_RENAMED = re.compile(rf"^RENAME\s+TO\s+(?P<name>{NAME})", _FLAGS)
_DROPPED = re.compile(
    rf"^DROP\s+(?:{_KINDS}|INDEX)\s+(?:IF\s+EXISTS\s+)?(?P<names>.*?)(?:\s+(?:CASCADE|RESTRICT))?$", _FLAGS
)
_ON = re.compile(
    rf"^(?:CREATE\b.*?\bON\s+(?:ONLY\s+)?|UPDATE\s+(?:ONLY\s+)?|DELETE\s+FROM\s+(?:ONLY\s+)?|"
    rf"(?:LOCK|TRUNCATE)\s+(?:TABLE\s+)?(?:ONLY\s+)?)(?P<name>{NAME})",
    _FLAGS,
)
_IN_PLACE = re.compile(r"^(?:CREATE|DROP)\b.*?\b(?:VIEW|FUNCTION|PROCEDURE|ROUTINE|AGGREGATE)\b", _FLAGS)
"""What is dropped and created anew in one transaction was always there for everybody else."""
_NOT_VALID = re.compile(r"\bNOT\s+VALID\b", re.IGNORECASE)


def hazards(statements: Iterable[Statement]) -> tuple[Hazard, ...]:
    """What the statements of all pending migrations, which are one transaction, do to those who work meanwhile."""
    statements = tuple(statements)
    judge = _Judge(_replaced(statements))
    return tuple(hazard for statement in statements for hazard in judge.hazards(statement))


def hazards_one_by_one(statements: Iterable[Statement]) -> tuple[Hazard, ...]:
    """What each migration does where those before it were deployed already, so that their tables are in use."""
    each = groupby(statements, lambda statement: statement.file)
    return tuple(hazard for _, of_one in each for hazard in hazards(of_one))


class _Judge:
    """Knows what the statements before have created and added, and what these `replaced` as a whole."""

    def __init__(self, replaced: frozenset[str]) -> None:
        self._replaced = replaced
        self._created = set[str]()
        self._unchecked = set[str]()
        self._required = set[tuple[str, str]]()

    def hazards(self, statement: Statement) -> Iterator[Hazard]:
        sentences = reading.statements(statement.sql)
        found = dict.fromkeys(rule for one in sentences for rule in self._of(one.sql))
        if len(reading.separated(statement.sql)) > 1:
            found[rules.SEVERAL] = None
        yield from (_hazard(statement, rule) for rule in found)

    def _of(self, sql: str) -> Iterator[Rule]:
        if match := _CREATED.match(sql):
            self._created.add(plain(match["name"]))
        elif match := _ALTER.match(sql):
            yield from self._of_actions(plain(match["name"]), match["rest"])
        elif not self._is_of_created(sql):
            yield from (rule for rule in rules.STATEMENTS if rule.matches(sql))
            if rules.EVERY_ROW.matches(reading.without_groups(sql)):
                yield rules.EVERY_ROW

    def _of_actions(self, table: str, text: str) -> Iterator[Rule]:
        for action in reading.parts(text):
            if match := rules.ATTACHED.pattern.search(action):
                if plain(match["table"]) not in self._created:
                    yield rules.ATTACHED
            elif table not in self._created:
                yield from self._of_action(table, action)
            elif match := _RENAMED.match(action):
                self._created.add(plain(match["name"]))

    def _of_action(self, table: str, action: str) -> Iterator[Rule]:
        for rule in rules.ACTIONS:
            if rules.is_computed(action) if rule is rules.COMPUTED else rule.matches(action):
                yield rule
        if _NOT_VALID.search(action):
            self._unchecked.add(table)
        elif rules.VALIDATED.matches(action) and table in self._unchecked:
            yield rules.VALIDATED
        if match := rules.ADDED.search(action):
            self._required.add((table, plain(match["column"])))
        elif (match := rules.UNFILLED.pattern.search(action)) and (table, plain(match["column"])) in self._required:
            yield rules.UNFILLED

    def _is_of_created(self, sql: str) -> bool:
        """Whether it is about nothing but what was created before; so are indexes of new tables."""
        if match := _DROPPED.match(sql):
            names = (plain(name.split("(")[0].strip()) for name in reading.parts(match["names"]))
            there = self._created if _IN_PLACE.match(sql) is None else self._created | self._replaced
            return all(name in there for name in names)
        if not (match := _ON.match(sql)) or plain(match["name"]) not in self._created:
            return False
        if index := _INDEX.match(sql):
            self._created.add(plain(index["name"]))
        return True


def _replaced(statements: Iterable[Statement]) -> frozenset[str]:
    sentences = (one.sql for statement in statements for one in reading.statements(statement.sql))
    return frozenset(
        plain(match["name"]) for sql in sentences if (match := _CREATED.match(sql)) and _IN_PLACE.match(sql)
    )


def _hazard(statement: Statement, rule: Rule) -> Hazard:
    sql, file, line = statement
    return Hazard(rule=rule.name, file=file, line=line, sql=" ".join(sql.split()), why=rule.why, instead=rule.instead)
