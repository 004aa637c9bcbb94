"""Pure: what two units have in common: changes, tables, calls, people."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations
from typing import NamedTuple

from ramet.advisor.facts import Facts, Place
from ramet.advisor.people import by_people
from ramet.advisor.units import Units

UPKEEP = re.compile(
    r"(^|/)(requirements[\w.-]*\.(txt|in)|[\w.-]*\.lock|[\w.-]*lock\.(json|ya?ml)|go\.(mod|sum)|package\.json|Dockerfile[\w.-]*"
    r"|VERSION|CHANGELOG[\w.-]*|README[\w.-]*|\.[\w.-]+)$"
)
"""Files of libraries, images and releases: that these change in many places at once couples no code."""


class Together(NamedTuple):
    """Two units. `share` is the part of the commits of the one that changes less in which the other changed, too;
    `authors_alike` the Jaccard index of the people who changed them."""

    first: str
    second: str
    commits: int
    share: float
    tables: tuple[str, ...]
    calls: tuple[Place, ...]
    authors_alike: float


def together(facts: Facts, units: Units) -> tuple[Together, ...]:
    """Every pair of units with something in common; nothing for a monolith."""
    if not units.several:
        return ()
    alone, common, people = _changes(facts, units)
    tables = _tables(facts, units)
    calls: dict[tuple[str, str], tuple[Place, ...]] = {}
    for asked in units.asked:
        pair = _pair(asked.source, asked.target)
        calls[pair] = (*calls.get(pair, ()), *asked.places)
    found = []
    for pair in sorted(set(common) | set(calls) | set(tables)):
        first, second = pair
        both = people.get(first, set()) | people.get(second, set())
        fewer = min(alone[first], alone[second])
        found.append(
            Together(
                first=first,
                second=second,
                commits=common[pair],
                share=common[pair] / fewer if fewer else 0.0,
                tables=tables.get(pair, ()),
                calls=calls.get(pair, ()),
                authors_alike=len(people.get(first, set()) & people.get(second, set())) / len(both) if both else 0.0,
            )
        )
    return tuple(found)


def _changes(facts: Facts, units: Units) -> tuple[Counter[str], Counter[tuple[str, str]], dict[str, set[str]]]:
    alone: Counter[str] = Counter()
    common: Counter[tuple[str, str]] = Counter()
    people: dict[str, set[str]] = {}
    for commit in by_people(facts.commits):
        if commit.merge or commit.is_large:
            continue
        touched = sorted({unit for path in commit.files if not UPKEEP.search(path) and (unit := units.of(path))})
        alone.update(touched)
        common.update(combinations(touched, 2))
        for unit in touched:
            people.setdefault(unit, set()).add(commit.author)
    return alone, common, people


def _tables(facts: Facts, units: Units) -> dict[tuple[str, str], tuple[str, ...]]:
    users: dict[str, set[str]] = {}
    idle = {one.path for one in facts.modules if one.role in ("tests", "migrations")}
    for access in facts.accesses:
        if access.path not in idle and (unit := units.of(access.path)) is not None:
            users.setdefault(access.table, set()).add(unit)
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for table in sorted(users):
        for pair in combinations(sorted(users[table]), 2):
            found[pair] = (*found.get(pair, ()), table)
    return found


def _pair(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)
