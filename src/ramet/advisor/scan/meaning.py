"""Pure: from what each file says to facts: accesses, topics, routes, requests, parameters that are handed on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from ramet.advisor.facts import Access, Kind, Pass, Place, Request, Route, Table, Topic
from ramet.advisor.scan.edges import Edges
from ramet.advisor.scan.leaf import Note, Touch, Web
from ramet.advisor.scan.project import Project
from ramet.advisor.scan.roles import role_of
from ramet.advisor.scan.tables import Tables

ASIDE = frozenset({"tests", "migrations", "commands"})
SCRIPTS = frozenset({"contrib", "scripts", "script", "tools", "upgrades", "docs", "doc", "examples", "example", "bin"})
SYSTEM_TABLES = ("pg_", "information_schema", "sqlite_", "dual")


def find_accesses(project: Project, tables: Tables) -> tuple[tuple[Access, ...], tuple[Table, ...]]:
    """Who reads and writes which table; and the tables that only SQL speaks of, declared where most writes them."""
    found: set[tuple[str, int, str, bool, str]] = set()
    spoken: dict[str, list[tuple[str, Touch]]] = {}
    for path, leaf in project.leaves.items():
        for touch in leaf.touches:
            if name := touched_table(touch, path, tables):
                if touch.name[:1] == "#" and name not in tables.by_name:
                    spoken.setdefault(name, []).append((path, touch))
                found.add((path, touch.line, name, touch.writes, touch.transaction))
    accesses = tuple(
        Access(path=path, line=line, table=table, writes=writes, transaction=transaction)
        for path, line, table, writes, transaction in sorted(found)
    )
    return accesses, tuple(
        Table(name=name, model="", place=_home(touches), framework="sql") for name, touches in spoken.items()
    )


def touched_table(touch: Touch, path: str, tables: Tables) -> str:
    """The name of the table, or "" where it is none of this code base."""
    if touch.name[:1] != "#":
        table = tables.of(touch.name, path)
        return table.name if table else ""
    name = tables.spoken(touch.name[1:])
    return "" if name.lower().startswith(SYSTEM_TABLES) else name


def _home(touches: Sequence[tuple[str, Touch]]) -> Place:
    """The module that writes a table in most places, or else reads it; tests, migrations and scripts where no other."""
    weights: Counter[str] = Counter()
    for path, touch in touches:
        weights[path] += 10 if touch.writes else 1
    best = min(weights, key=lambda path: (_is_aside(path), -weights[path], path))
    return Place(path=best, line=min(touch.line for path, touch in touches if path == best))


def _is_aside(path: str) -> bool:
    return role_of(path) in ASIDE or not SCRIPTS.isdisjoint(path.split("/")[:-1])


def find_topics(project: Project, edges: Edges) -> tuple[Topic, ...]:
    """Tasks, signals and messages, by one name for senders and receivers; a task named by a string is an edge too."""
    tasks: dict[str, str] = {}
    signals: set[str] = set()
    for path, leaf in project.leaves.items():
        for note in leaf.notes:
            if note.system == "celery" and not note.sends:
                tasks[_canonical(note, path, project)] = path
            elif note.system == "django-signal" and not note.sends:
                signals.add(_canonical(note, path, project))
    topics = set()
    for path, leaf in project.leaves.items():
        for note in leaf.notes:
            name = _canonical(note, path, project)
            if not _is_topic(note, name, tasks, signals):
                continue
            topics.add((path, note.line, name, note.sends, note.system))
            if note.sends and note.system == "celery" and not note.resolve:
                edges.add(path, tasks.get(name, ""), Kind.STRING, (note.line, name))
    return tuple(
        Topic(place=Place(path=path, line=line), name=name, sends=sends, system=system)
        for path, line, name, sends, system in sorted(topics)
    )


def _canonical(note: Note, path: str, project: Project) -> str:
    if not note.resolve:
        return note.name
    target, rest = project.resolve(note.name, path)
    return f"{project.index.names[target]}.{rest}" if target else rest


def _is_topic(note: Note, name: str, tasks: dict[str, str], signals: set[str]) -> bool:
    if not note.resolve or not name:
        return bool(name)
    if note.system == "celery":
        return name in tasks
    return "signals." in name or (name in signals and note.sends)


def find_routes(project: Project) -> tuple[Route, ...]:
    """Every HTTP route that is served; tests serve none."""
    return tuple(
        Route(place=Place(path=path, line=one.line), method=one.method, path=one.path)
        for path, one in _webs(project, serves=True)
    )


def find_requests(project: Project) -> tuple[Request, ...]:
    """Every HTTP request that is made."""
    return tuple(
        Request(place=Place(path=path, line=one.line), method=one.method, target=one.path)
        for path, one in _webs(project, serves=False)
    )


def _webs(project: Project, *, serves: bool) -> Iterator[tuple[str, Web]]:
    for path, leaf in project.leaves.items():
        if serves and role_of(path) == "tests":
            continue
        for one in sorted(leaf.webs, key=lambda web: (web.line, web.method, web.path)):
            if one.serves is serves:
                yield path, one


def find_passes(project: Project) -> tuple[Pass, ...]:
    """Parameters that go through a function to another module, untouched and otherwise unused."""
    found = set()
    for path, leaf in project.leaves.items():
        for hand in leaf.hands:
            target, rest = project.resolve(hand.target, path)
            if target and rest and target != path:
                found.add((path, hand.line, hand.function, hand.parameter, target))
    return tuple(
        Pass(place=Place(path=path, line=line), function=function, parameter=parameter, target=target)
        for path, line, function, parameter, target in sorted(found)
    )
