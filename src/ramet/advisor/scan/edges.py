"""Pure: which module depends on which, by imports, calls and strings."""

from __future__ import annotations

from ramet.advisor.facts import Edge, Kind
from ramet.advisor.scan.leaf import Text
from ramet.advisor.scan.project import Project
from ramet.advisor.scan.tables import Tables

MOST_LINES = 20
MOST_NAMES = 40


class Edges:
    """Edges that are being gathered, one for each source, target and kind."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, Kind], tuple[set[int], set[str], list[int]]] = {}

    def add(self, source: str, target: str, kind: Kind, found: tuple[int, str], count: int = 1) -> None:
        """A dependency at this line, by this name."""
        if not target or source == target:
            return
        lines, names, counts = self._found.setdefault((source, target, kind), (set(), set(), [0]))
        lines.add(found[0])
        counts[0] += count
        if found[1]:
            names.add(found[1])

    def sorted(self) -> tuple[Edge, ...]:
        """All of them as facts."""
        return tuple(
            Edge(
                source=source,
                target=target,
                kind=kind,
                lines=tuple(sorted(lines)[:MOST_LINES]),
                names=tuple(sorted(names)[:MOST_NAMES]),
                count=counts[0],
            )
            for (source, target, kind), (lines, names, counts) in sorted(self._found.items())
        )


def find_edges(project: Project, tables: Tables) -> Edges:
    """Every dependency between two modules of the project."""
    edges = Edges()
    for path, leaf in project.leaves.items():
        _imports(project, path, edges)
        for use in leaf.uses:
            target, rest = project.resolve(use.name, path)
            if target and rest:
                for line in use.lines[1:]:
                    edges.add(path, target, Kind.CALL, (line, rest), 0)
                edges.add(path, target, Kind.CALL, (use.lines[0], rest), use.count)
        for text in leaf.texts:
            edges.add(path, referred(text, path, project, tables), Kind.STRING, (text.line, text.text))
    return edges


def _imports(project: Project, path: str, edges: Edges) -> None:
    for one in project.leaves[path].imports:
        base, rest = project.module(one.module, path)
        if not base and one.module.strip("."):
            for name, _ in one.names:  # a namespace package has no file of its own
                target, left = project.resolve(f"{one.module}.{name}", path) if name and name != "*" else ("", "")
                edges.add(path, target, one.kind, (one.line, left or name))
            continue
        if rest:
            continue  # the package is known, the module is not: generated, or not for this Python
        if not one.names or one.names[0][0] in {"", "*"}:
            edges.add(path, base, one.kind, (one.line, one.names[0][0] if one.names else ""))
            continue
        join = "" if one.module.endswith(".") else "."
        for name, _ in one.names:
            target, left = project.resolve(f"{one.module}{join}{name}", path)
            edges.add(path, target or base, one.kind, (one.line, left or name))


def referred(text: Text, path: str, project: Project, tables: Tables) -> str:
    """The module that a string speaks of, or ""."""
    if text.how == "model" or (text.how == "dotted" and text.text.count(".") == 1):
        if found := tables.labelled(text.text, path):
            return found.place.path
        if text.how == "model":
            return ""
    if text.how == "app":
        return project.index.longest(text.text, path)[0] if "." not in text.text else ""
    target, rest = project.resolve(f"~{text.text}" if text.how == "class" else text.text, path)
    if not target or (text.text.count(".") - rest.count(".") < 1 and rest):
        return ""
    return target if not rest or project.defines(target, rest.partition(".")[0]) or text.how == "class" else ""
