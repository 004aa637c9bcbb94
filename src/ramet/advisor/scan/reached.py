"""Pure: which tables a transaction touches in functions that it calls, as far as names say which functions these are.

A call through an object whose class is not known is not followed, nor is a function that commits by itself: it ends the
transaction of its caller, or has one of its own.
"""

from __future__ import annotations

from collections import defaultdict

from ramet.advisor.facts import Place, Reached
from ramet.advisor.scan.leaf import Ask
from ramet.advisor.scan.meaning import touched_table
from ramet.advisor.scan.project import Project
from ramet.advisor.scan.roles import role_of
from ramet.advisor.scan.tables import Tables

DEEPEST = 4  # calls from the transaction on
Function = tuple[str, str]
"""Its module's path, and its name with that of its class."""


def find_reached(project: Project, tables: Tables) -> tuple[Reached, ...]:
    """For each transaction and table one access, where there are several: the first that writes."""
    functions = _Functions(project, tables)
    found: dict[tuple[str, str, str], tuple[bool, int, Place]] = {}
    for path, leaf in project.leaves.items():
        if role_of(path) in ("tests", "migrations"):
            continue
        for ask in leaf.asks:
            if not ask.transaction:
                continue
            for (table, writes), access in functions.reach(project.resolve(ask.target, path)).items():
                key, best = (path, ask.transaction, table), (not writes, ask.line, access)
                if key not in found or best[:2] < found[key][:2]:
                    found[key] = best
    return tuple(
        Reached(place=Place(path=path, line=line), transaction=name, table=table, writes=not reads, access=access)
        for (path, name, table), (reads, line, access) in sorted(found.items(), key=lambda one: one[0])
    )


class _Functions:
    """What every function touches, and whom it calls."""

    def __init__(self, project: Project, tables: Tables) -> None:
        self._project = project
        self._touches: defaultdict[Function, dict[tuple[str, bool], Place]] = defaultdict(dict)
        self._asks: defaultdict[Function, list[Ask]] = defaultdict(list)
        self._committing = {(path, name) for path, leaf in project.leaves.items() for name in leaf.committing}
        for path, leaf in project.leaves.items():
            for touch in leaf.touches:
                if touch.function and (table := touched_table(touch, path, tables)):
                    place = Place(path=path, line=touch.line)
                    self._touches[path, touch.function].setdefault((table, touch.writes), place)
            for ask in leaf.asks:
                self._asks[path, ask.function].append(ask)

    def reach(self, function: Function) -> dict[tuple[str, bool], Place]:
        """The tables it touches, itself or through functions it calls, and whether it writes: the nearest place."""
        found: dict[tuple[str, bool], Place] = {}
        seen, now = {function}, [function]
        for _ in range(DEEPEST):
            after = []
            for one in now:
                if one in self._committing:
                    continue
                for key, place in self._touches.get(one, {}).items():
                    found.setdefault(key, place)
                for ask in self._asks.get(one, ()):
                    asked = self._project.resolve(ask.target, one[0])
                    if asked not in seen:
                        seen.add(asked)
                        after.append(asked)
            now = after
        return found
