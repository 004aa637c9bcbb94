"""All Python files of a folder, read and understood: modules, edges, tables, accesses, routes, topics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from ramet.advisor.facts import Access, Edge, Gap, Module, Pass, Reached, Request, Route, Table, Topic
from ramet.advisor.scan.edges import find_edges
from ramet.advisor.scan.leaf import Leaf
from ramet.advisor.scan.meaning import find_accesses, find_passes, find_requests, find_routes, find_topics
from ramet.advisor.scan.project import Project
from ramet.advisor.scan.reached import find_reached
from ramet.advisor.scan.roles import role_of
from ramet.advisor.scan.roots import Index
from ramet.advisor.scan.tables import Tables

MOST_EXAMPLES = 5
TROUBLES = {
    "syntax": (
        "Files whose syntax could not be read",
        "only their imports and definitions count; they may be for another Python",
    ),
    "size": ("Files too large to be read whole", "only their imports and definitions count"),
    "depth": ("Files nested too deeply", "only their imports and definitions count"),
    "permission": ("Files that could not be opened", "they count as empty modules"),
    "encoding": ("Files with text that cannot be stored", "they count as empty modules"),
    "crash": ("Files that no process survived reading", "they count as empty modules"),
}


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """What the files of a code base say together; `index` is how their names were understood."""

    index: Index
    roots: tuple[str, ...]
    modules: tuple[Module, ...]
    edges: tuple[Edge, ...]
    tables: tuple[Table, ...]
    accesses: tuple[Access, ...]
    reached: tuple[Reached, ...]
    routes: tuple[Route, ...]
    requests: tuple[Request, ...]
    topics: tuple[Topic, ...]
    passes: tuple[Pass, ...]
    gaps: tuple[Gap, ...]


def understand(leaves: Mapping[str, Leaf], others: Iterable[str]) -> Scan:
    """What the leaves mean together; `others` are the paths of files that are no Python, which mark roots."""
    leaves = dict(sorted(leaves.items()))
    project = Project(leaves, others)
    tables = Tables(project)
    edges = find_edges(project, tables)
    accesses, spoken = find_accesses(project, tables)
    topics = find_topics(project, edges)
    mains = {project.index.roots.main(path) for path in leaves}
    return Scan(
        index=project.index,
        roots=tuple(sorted(mains)),
        modules=tuple(module_of(path, project.index.names[path], leaf) for path, leaf in leaves.items()),
        edges=edges.sorted(),
        tables=tuple(
            sorted((*tables.by_class.values(), *spoken), key=lambda one: (one.name, one.place.path, one.place.line))
        ),
        accesses=accesses,
        reached=find_reached(project, tables),
        routes=find_routes(project),
        requests=find_requests(project),
        topics=topics,
        passes=find_passes(project),
        gaps=tuple(troubles(leaves)),
    )


def module_of(path: str, name: str, leaf: Leaf) -> Module:
    """The module as a fact."""
    return Module(
        path=path,
        name=name,
        lines=leaf.lines,
        role=role_of(path),
        functions=leaf.functions,
        classes=leaf.classes,
        complexity=leaf.complexity,
        words=leaf.words,
        doc=leaf.doc,
    )


def troubles(leaves: Mapping[str, Leaf]) -> list[Gap]:
    """What could not be read, by reason, with examples."""
    found: dict[str, list[str]] = {}
    for path, leaf in leaves.items():
        if leaf.trouble:
            found.setdefault(leaf.trouble, []).append(f"{path}: {leaf.detail}")
    return [
        Gap(
            what=TROUBLES[name][0], why=TROUBLES[name][1], count=len(examples), examples=tuple(examples[:MOST_EXAMPLES])
        )
        for name, examples in sorted(found.items())
    ]
