"""Pure but for igraph: from facts and answers to the whole advice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ramet.advisor.agreement import RULE as BOUNDARY
from ramet.advisor.agreement import Agreed, broken, unused
from ramet.advisor.antipatterns.detect import antipatterns
from ramet.advisor.antipatterns.rules import RULES as ANTIPATTERNS
from ramet.advisor.boundaries.candidates import boundaries
from ramet.advisor.boundaries.ranking import MANY_COMMITS
from ramet.advisor.boundaries.values import Boundaries, Candidate
from ramet.advisor.boundaries.whatif import cut
from ramet.advisor.coupling.find import find_coupling
from ramet.advisor.coupling.kinds import Coupling
from ramet.advisor.coupling.parts import parts_of
from ramet.advisor.coupling.reaching import RULES as REACHING
from ramet.advisor.coupling.reaching import reaching
from ramet.advisor.facts import Facts
from ramet.advisor.finding import Rule, Strength, in_order
from ramet.advisor.history.delivery import delivery
from ramet.advisor.phrases import counted, listed
from ramet.advisor.readiness.indicators import indicators
from ramet.advisor.readiness.score import Answers, readiness
from ramet.advisor.report.advice import Advice, Cell, Counts, Matrix
from ramet.advisor.strangler import plan
from ramet.advisor.units import Units, services

RULES: tuple[Rule, ...] = (*ANTIPATTERNS, *REACHING, BOUNDARY)
SHOWN_CANDIDATES = 8
FEWEST_MODULES = 10
"""In less code there is nothing to cut."""
RUNNING = frozenset({"dockerfile", "compose", "helm", "kubernetes", "deploy", "manage.py"})
"""Signs of something that runs by itself."""
FEWEST_OF_A_SERVICE = 50
"""Modules of a service below which no part of it is proposed as one more."""


def advise(
    facts: Facts, answers: Answers, *, agreed: Agreed | None = None, paths: Sequence[str] | None = None
) -> Advice:
    """What to say of a code base; with `paths`, of that cut instead of the candidates found.

    Raises: ConfigurationError where a path of the cut holds no code; MissingExtra where igraph is not installed.
    """
    found = boundaries(facts) if paths is None and len(facts.modules) >= FEWEST_MODULES else None
    units = Units(facts)
    library = tuple(_library(facts))
    split = units.parts if units.several else services(facts)
    candidates = _candidates(found, split) if found and not library else ((cut(facts, paths),) if paths else ())
    told = found and not units.several and len(facts.commits) >= MANY_COMMITS
    strong = sum(one.strength is Strength.STRONG for one in candidates) if told else None
    ready = readiness(facts, answers, strong_boundaries=strong)
    delivered = delivery(facts)
    coupling = find_coupling(facts, parts_of(facts), units.asked if units.several else ())
    findings = [*antipatterns(facts, developers=ready.team), *reaching(coupling, services=units.several)]
    findings += broken(facts, agreed) if agreed is not None else []
    return Advice(
        root=facts.root,
        counts=_counts(facts, units),
        readiness=ready,
        indicators=indicators(facts, delivered),
        delivery=delivered,
        candidates=candidates,
        stability=found.stability if found else None,
        caveats=(*_split(() if units.several else split.values()), *(found.caveats if found else ()), *library),
        matrix=_matrix(coupling),
        steps=plan(ready, candidates, in_order(findings) if units.several else None),
        findings=in_order(findings),
        left_out=found.left_out if found else (),
        gaps=(*facts.gaps, *(unused(agreed, facts) if agreed is not None else ())),
    )


def _candidates(found: Boundaries, split: Mapping[str, str]) -> tuple[Candidate, ...]:
    """The best candidates; what is a service already, most of one or pieces of several, is none.

    `split` says of modules to which service they belong.
    """
    sizes = Counter(split.values())

    def new(one: Candidate) -> bool:
        inside = {split.get(path) for path in one.modules}
        if inside == {None}:
            return True
        whole = sizes[name] if len(inside) == 1 and (name := next(iter(inside))) else 0
        return whole >= FEWEST_OF_A_SERVICE and len(one.modules) < whole / 2

    kept = [one for one in found.candidates if new(one)] if sizes else found.candidates
    return tuple(kept[:SHOWN_CANDIDATES])


def _split(folders: Iterable[str]) -> Iterator[str]:
    """That it is split already is said to whoever asks how to."""
    if names := sorted(set(folders)):
        yield (
            f"It is split already, into {counted(len(names), 'service')} of Ramet ({listed(names)}), each of which may "
            "run in a process of its own: `ramet plan --optimise` says which belong together. A part of one is "
            f"proposed where that has {FEWEST_OF_A_SERVICE} modules or more."
        )


def _library(facts: Facts) -> Iterator[str]:
    """What looks like a library is said to: it is released as a whole."""
    names = {one.name for one in facts.signals}
    runs = facts.routes or any(not one.sends for one in facts.topics) or RUNNING & names
    if "project" in names and not (runs or facts.tables):
        yield "No route, message, table or deployment was found: a library is released whole, and needs no services."


def _counts(facts: Facts, units: Units) -> Counts:
    return Counts(
        services=len(units.all),
        modules=len(facts.modules),
        lines=sum(one.lines for one in facts.modules),
        commits=len(facts.commits),
        tables=len(facts.tables),
        routes=len(facts.routes),
    )


def _matrix(coupling: Coupling) -> Matrix:
    """Places of data, domain and temporary coupling, by pair of parts."""
    counted = ("data", "domain", "temporary")
    cells = []
    for (row, column), kinds in sorted(coupling.matrix().items()):
        weight = round(sum(kinds.get(kind, 0.0) for kind in counted))
        if weight:
            cells.append(Cell(row=row, column=column, weight=weight, made_of=_made_of(kinds)))
    return Matrix(parts=tuple(part.name for part in coupling.parts), cells=tuple(cells))


def _made_of(kinds: Mapping[str, float]) -> str:
    percent = ("change", "team")
    return ", ".join(f"{kind} {value:.0f}{' %' if kind in percent else ''}" for kind, value in sorted(kinds.items()))
