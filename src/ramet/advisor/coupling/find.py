"""Pure: what couples parts of a code base: data, domain, data carried through, changes, people; each located.

Data coupling: a part touches the tables of another, or has foreign keys to them. Domain coupling: it needs the
functions of another. Temporary coupling: it carries data through only because another needs it. Change and team
coupling are measured in `coupling_changes`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from ramet.advisor.coupling.changes import changed_together, same_people
from ramet.advisor.coupling.kinds import REQUESTS, Coupled, Coupling, CouplingKind, PartCoupling
from ramet.advisor.facts import Access, Facts, Kind, Place, Table
from ramet.advisor.units import Asked

LEFT_OUT = frozenset({"tests", "migrations"})
MOST_PLACES = 20
Pair = tuple[str, str]


def find_coupling(facts: Facts, parts: Mapping[str, str], asked: Iterable[Asked] = ()) -> Coupling:
    """Everything that couples two parts; `parts` maps paths of modules to names of parts.

    `asked` says which parts, where they are services, make requests to which.

    Tests and migrations do not count for data, domain and temporary coupling. Paths without a part are ignored.
    """
    code = {one.path: parts[one.path] for one in facts.modules if one.path in parts and one.role not in LEFT_OUT}
    changes, ignored = changed_together(facts, parts)
    items = sorted(
        (
            *_data(facts, code),
            *_domain(facts, code),
            *_requested(asked),
            *_carried(facts, code),
            *changes,
            *same_people(facts, parts),
        ),
        key=lambda one: (one.source, one.target, one.kind, -one.measure, one.what),
    )
    return Coupling(
        items=tuple(items),
        parts=tuple(_part(name, items) for name in sorted(set(parts.values()))),
        ignored=ignored,
    )


def _part(name: str, items: list[Coupled]) -> PartCoupling:
    domain = [one for one in items if one.kind is CouplingKind.DOMAIN]
    own = [one for one in items if name in (one.source, one.target)]
    return PartCoupling(
        name=name,
        fan_in=len({one.source for one in domain if one.target == name}),
        fan_out=len({one.target for one in domain if one.source == name}),
        items={kind.value: count for kind in CouplingKind if (count := sum(one.kind is kind for one in own))},
    )


# Data


def _data(facts: Facts, code: Mapping[str, str]) -> Iterator[Coupled]:
    tables = {one.name: one for one in facts.tables}
    owners = _owners(facts, code)
    yield from _touched(facts, code, owners)
    for table in facts.tables:
        source = code.get(table.place.path, "")
        for name, place in zip(table.references, table.reference_places, strict=False):
            target = owners.get(name, "")
            if source and target and source != target and name in tables:
                what = f"{table.name} has a foreign key to {name}"
                yield Coupled(
                    kind=CouplingKind.DATA, source=source, target=target, measure=1, what=what, places=(place,)
                )


def _owners(facts: Facts, code: Mapping[str, str]) -> dict[str, str]:
    """Tables with the part that declares them; those that only SQL speaks of belong to who writes them most."""
    owners = {
        one.name: code[one.place.path] for one in facts.tables if one.framework != "sql" and one.place.path in code
    }
    writes: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for access in facts.accesses:
        if access.table not in owners and access.path in code:
            writes[access.table][code[access.path]] += 1_000 if access.writes else 1
    declared = {one.name: one for one in facts.tables}
    for name, counts in writes.items():
        if _only_sql(declared.get(name)):
            owners[name] = min(counts, key=lambda part: (-counts[part], part))
    return owners


def _only_sql(table: Table | None) -> bool:
    return table is not None and table.framework == "sql"


def _touched(facts: Facts, code: Mapping[str, str], owners: Mapping[str, str]) -> Iterator[Coupled]:
    """A part that declares a table of that name itself means its own, wherever others keep theirs."""
    declared = {(code.get(one.place.path, ""), one.name) for one in facts.tables}
    found: dict[tuple[str, str, str, bool], list[Access]] = defaultdict(list)
    for access in facts.accesses:
        source, target = code.get(access.path, ""), owners.get(access.table, "")
        if source and target and source != target and (source, access.table) not in declared:
            found[source, target, access.table, access.writes].append(access)
    for (source, target, table, writes), accesses in sorted(found.items()):
        places = tuple(Place(path=one.path, line=one.line) for one in accesses[:MOST_PLACES])
        what = f"{'writes' if writes else 'uses'} {table}"
        yield Coupled(
            kind=CouplingKind.DATA, source=source, target=target, measure=len(accesses), what=what, places=places
        )


# Domain


def _domain(facts: Facts, code: Mapping[str, str]) -> Iterator[Coupled]:
    """A part needs a module of another: by calls where there are any, else by imports and strings."""
    found: dict[tuple[str, str, str], dict[Kind, list[tuple[int, Place, tuple[str, ...]]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for edge in facts.edges:
        source, target = code.get(edge.source, ""), code.get(edge.target, "")
        if source and target and source != target and edge.kind is not Kind.TYPING:
            for line in edge.lines:
                found[source, target, edge.target][edge.kind].append((0, Place(path=edge.source, line=line), ()))
            found[source, target, edge.target][edge.kind].append((edge.count, Place(path="", line=0), edge.names))
    for (source, target, module), kinds in sorted(found.items()):
        kind = next(one for one in (Kind.CALL, Kind.IMPORT, Kind.LAZY, Kind.STRING) if one in kinds)
        names = sorted({name for _, _, names in kinds[kind] for name in names})
        verb = {Kind.CALL: "calls", Kind.STRING: "names"}.get(kind, "imports")
        yield Coupled(
            kind=CouplingKind.DOMAIN,
            source=source,
            target=target,
            measure=sum(count for count, _, _ in kinds[kind]),
            what=f"{verb} {', '.join(names[:8])} of {module}" if names else f"{verb} {module}",
            places=tuple(place for _, place, _ in kinds[kind] if place.path)[:MOST_PLACES],
        )


def _requested(asked: Iterable[Asked]) -> Iterator[Coupled]:
    for one in asked:
        yield Coupled(
            kind=CouplingKind.DOMAIN,
            source=one.source,
            target=one.target,
            measure=float(len(one.places)),
            what=f"{REQUESTS}{one.target}",
            places=one.places[:MOST_PLACES],
        )


# Temporary


def _carried(facts: Facts, code: Mapping[str, str]) -> Iterator[Coupled]:
    """An approximation: A calls a function of B that gives a parameter on to C and does nothing else with it.

    Sound for what it finds, as far as names resolve; data that travels inside objects, through `**arguments`, or by
    methods of instances is not seen.
    """
    callers: dict[Pair, list[tuple[str, Place]]] = defaultdict(list)
    for edge in facts.edges:
        if edge.kind is Kind.CALL and edge.source in code and edge.lines:
            for name in edge.names:
                callers[edge.target, name].append((code[edge.source], Place(path=edge.source, line=edge.lines[0])))
    found: dict[tuple[str, str, str, str], list[Place]] = defaultdict(list)
    for one in facts.passes:
        through, target = code.get(one.place.path, ""), code.get(one.target, "")
        if not (through and target) or through == target:
            continue
        for source, _ in callers.get((one.place.path, one.function), ()):
            if source not in (through, target):
                what = f"{one.function} carries `{one.parameter}` from {source} to {target} and does not use it"
                found[through, target, source, what].append(one.place)
    for (through, target, _, what), places in sorted(found.items()):
        unique = tuple(dict.fromkeys(places))
        yield Coupled(
            kind=CouplingKind.TEMPORARY, source=through, target=target, measure=len(unique), what=what, places=unique
        )
