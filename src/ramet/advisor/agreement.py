"""Pure: boundaries that a team has agreed on, as a file, and what breaks them from then on.

    [boundary.orders]
    paths = ["shop/orders"]
    may_use = ["catalog", "shared"]      # the other boundaries it may depend on; "*" for any

    [boundary.shared]
    paths = ["shop/common"]
    may_use = []

Code outside of every boundary may use everything, and be used by everything.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence

import msgspec

from ramet.advisor.facts import Edge, Fact, Facts, Gap, Kind, Place
from ramet.advisor.finding import Finding, Rule, Severity, Strength
from ramet.errors import ConfigurationError

RULE = Rule(
    id="boundary",
    title="A boundary is crossed",
    why="The team has agreed that these parts do not depend on each other; exceptions make the next split dearer.",
    remedy="Go through what the other part offers, or change the agreement in the file, with those who made it.",
)
CROSSING = (Kind.IMPORT, Kind.LAZY, Kind.STRING)
PLACES = 10


class Boundary(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The folders and files of a part, and which other parts it may use."""

    paths: tuple[str, ...]
    may_use: tuple[str, ...] = ()


class Agreed(Fact):
    """The boundaries by name; `file` is where they are written."""

    file: str
    boundaries: Mapping[str, Boundary]

    def of(self, path: str) -> str | None:
        """The boundary a file is in: that with the longest path that leads to it."""
        best, length = None, -1
        for name, boundary in self.boundaries.items():
            for prefix in boundary.paths:
                inside = path == prefix or path.startswith(prefix.rstrip("/") + "/")
                if inside and len(prefix) > length:
                    best, length = name, len(prefix)
        return best


def read_boundaries(text: str, file: str) -> Agreed:
    """Raises: ConfigurationError with file, place and remedy."""
    try:
        document = tomllib.loads(text)
        tables = msgspec.convert(document.get("boundary", {}), dict[str, Boundary])
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{file}: {error}.") from error
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{file}: [boundary]: {error}.") from error
    if unknown := sorted(set(document) - {"boundary"}):
        raise ConfigurationError(f"{file}: there is no table [{unknown[0]}]; boundaries are written [boundary.NAME].")
    for name, boundary in tables.items():
        for other in boundary.may_use:
            if other != "*" and other not in tables:
                near = difflib.get_close_matches(other, tables, 1)
                meant = f" Did you mean {near[0]}?" if near else ""
                raise ConfigurationError(f'{file}: [boundary.{name}] may use "{other}", which is no boundary.{meant}')
    if not tables:
        raise ConfigurationError(f"{file} agrees on nothing: boundaries are written [boundary.NAME] with paths.")
    return Agreed(file=file, boundaries=tables)


def unused(agreed: Agreed, facts: Facts) -> tuple[Gap, ...]:
    """Paths of boundaries where no module is: a rule for nothing, which would be kept silently for ever."""
    modules = [one.path for one in facts.modules]
    found = []
    for name, boundary in sorted(agreed.boundaries.items()):
        for path in boundary.paths:
            below = path.rstrip("/") + "/"
            if not any(one == path or one.startswith(below) for one in modules):
                why = f"no module is at {path}, so nothing is checked there"
                found.append(Gap(what=f"Boundary {name} of {agreed.file}", why=why))
    return tuple(found)


def write_boundaries(parts: Mapping[str, Sequence[str]], facts: Facts) -> str:
    """A file that allows what there is today between these parts (paths by name), and nothing else."""
    agreed = Agreed(file="", boundaries={name: Boundary(paths=tuple(paths)) for name, paths in parts.items()})
    used: dict[str, set[str]] = {name: set() for name in parts}
    for _, source, target in _crossings(facts, agreed):
        used[source].add(target)
    lines = ["# Which part may use which. `ramet advise --rules FILE` reports what breaks it.", ""]
    for name in sorted(parts):
        paths = ", ".join(f'"{path}"' for path in sorted(parts[name]))
        others = ", ".join(f'"{other}"' for other in sorted(used[name]))
        lines += [f'[boundary."{name}"]', f"paths = [{paths}]", f"may_use = [{others}]", ""]
    return "\n".join(lines)


def broken(facts: Facts, agreed: Agreed) -> list[Finding]:
    """A finding for each module that uses a boundary it may not use."""
    found: dict[tuple[str, str, str], list[Edge]] = {}
    for edge, source, target in _crossings(facts, agreed):
        allowed = agreed.boundaries[source].may_use
        if target not in allowed and "*" not in allowed:
            found.setdefault((edge.source, source, target), []).append(edge)
    return [
        _finding(module, source, target, edges, agreed) for (module, source, target), edges in sorted(found.items())
    ]


def _crossings(facts: Facts, agreed: Agreed) -> list[tuple[Edge, str, str]]:
    where = {module.path: agreed.of(module.path) for module in facts.modules}
    crossing = []
    for edge in facts.edges:
        source, target = where.get(edge.source), where.get(edge.target)
        if edge.kind in CROSSING and source and target and source != target:
            crossing.append((edge, source, target))
    return crossing


def _finding(module: str, source: str, target: str, edges: Sequence[Edge], agreed: Agreed) -> Finding:
    places = [Place(path=module, line=line) for edge in edges for line in edge.lines]
    modules = ", ".join(sorted({edge.target for edge in edges})[:3])
    return Finding(
        rule=RULE.id,
        subject=(module, target),
        message=f"{module} of {source} uses {target} ({modules}), which {agreed.file} does not allow.",
        severity=Severity.ERROR,
        strength=Strength.STRONG,
        places=tuple(places[:PLACES]),
        measure=float(len(edges)),
        threshold=0.0,
    )
