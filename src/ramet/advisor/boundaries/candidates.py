"""Pure but for igraph: where a code base could be cut: candidates for services, ranked by evidence."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ramet.advisor.boundaries import metrics
from ramet.advisor.boundaries.evidence import Evidence
from ramet.advisor.boundaries.graph import Weights, build
from ramet.advisor.boundaries.partition import Parts, Resolutions, groups, partition
from ramet.advisor.boundaries.proposals import Proposal, alike, overlap, proposals
from ramet.advisor.boundaries.values import Boundaries, Candidate, Quality
from ramet.advisor.facts import Facts, Kind
from ramet.advisor.phrases import counted

__all__ = ["Boundaries", "BoundaryOptions", "Candidate", "boundaries"]
SHORT_HISTORY = 200
UNSTABLE = 0.75
FIRST = 20
"""So many candidates, the best, have little in common with one another."""


class BoundaryOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How boundaries are looked for; `most` candidates are described."""

    most: int = 20
    weights: Weights = Weights()
    resolutions: Resolutions = Resolutions()


def boundaries(facts: Facts, *, options: BoundaryOptions | None = None) -> Boundaries:
    """Candidates, parts and figures of a code base. Equal facts and options give equal boundaries.

    Raises: MissingExtra, if igraph is not installed.
    """
    options = options or BoundaryOptions()
    graph = build(facts, options.weights)
    parts = partition(graph, options.resolutions)
    evidence = Evidence(facts, graph)
    clusters = [group for of in (parts.of, *parts.finer) for group in groups(of)]
    considered = proposals(sorted(evidence.code), clusters)
    kept, alike_others = _distinct(considered, evidence, options.most)
    return Boundaries(
        candidates=named_apart(evidence.candidate(one, evidence.score(one.modules)) for one in kept),
        parts=parts.groups(),
        stability=round(parts.stability, 4),
        quality=_quality(facts, parts),
        caveats=tuple(_caveats(facts, parts)),
        left_out=(
            ("modules without a word, and migrations", len(facts.modules) - len(graph.paths)),
            ("candidates nearly equal to a better one", alike_others),
            (
                "candidates with weaker evidence, and other levels of the same part",
                len(considered) - alike_others - len(kept),
            ),
        ),
    )


def named_apart(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Of candidates that are nearest to one folder, all but the first also have the word that they say most."""
    found: dict[str, Candidate] = {}
    for one in candidates:
        names = (one.name, *(f"{one.name}: {word}" for word in one.words), f"{one.name}: {len(found) + 1}")
        name = next(name for name in names if name not in found)
        found[name] = one if name == one.name else msgspec.structs.replace(one, name=name)
    return tuple(found.values())


def _distinct(considered: list[Proposal], evidence: Evidence, most: int) -> tuple[list[Proposal], int]:
    """The best, and how many were left out because a better one is nearly the same.

    Of several levels of one part (a folder, the one above, a cluster within) only the best is among the first.
    """
    scores = {one: evidence.score(one.modules).total for one in considered}
    kept: list[Proposal] = []
    first: list[Proposal] = []
    skipped = 0
    for one in sorted(considered, key=lambda one: (-scores[one], one.origin, one.name)):
        if any(alike(one.modules, other.modules) for other in kept):
            skipped += 1
            continue
        kept.append(one)
        if len(first) < FIRST and not any(overlap(one.modules, other.modules) for other in first):
            first.append(one)
    chosen = set(first)
    return [*first, *(one for one in kept if one not in chosen)][:most], skipped


def _quality(facts: Facts, parts: Parts) -> Quality:
    known = parts.of.keys()
    edges = [one for one in facts.edges if one.source in known and one.target in known and one.source != one.target]
    pairs = {(min(one.source, one.target), max(one.source, one.target)) for one in edges if one.kind is not Kind.CALL}
    volume: dict[tuple[str, str], float] = {}
    for one in edges:
        pair = (min(one.source, one.target), max(one.source, one.target))
        volume[pair] = volume.get(pair, 0.0) + one.count
    tables: dict[str, list[str]] = {}
    for access in facts.accesses:
        tables.setdefault(access.table, []).append(access.path)
    return Quality(
        modularity=round(metrics.structural_modularity(parts.of, pairs), 4),
        crossing=round(metrics.inter_partition_calls(parts.of, volume), 4),
        interfaces=round(metrics.interface_number(parts.of, pairs), 4),
        extremes=round(metrics.non_extreme_distribution(parts.of), 4),
        quality=round(metrics.modularization_quality(parts.of, pairs), 4),
        purity=round(metrics.transactional_purity(parts.of, tables), 4),
    )


def _caveats(facts: Facts, parts: Parts) -> list[str]:
    found = []
    if len(facts.commits) < SHORT_HISTORY:
        known = counted(len(facts.commits), "commit")
        found.append(f"History has no more than {known}: what changes together is weak evidence.")
    if parts.stability < UNSTABLE:
        found.append(
            f"The parts depend on chance (agreement of runs {parts.stability:.2f}): read them as a suggestion."
        )
    if not facts.accesses:
        found.append("No access to a table was found: shared data and torn transactions are unknown, not absent.")
    return found
