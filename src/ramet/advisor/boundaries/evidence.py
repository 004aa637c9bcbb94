"""Pure: the figures of a candidate, all from one index of the code base."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Set as AbstractSet
from math import log
from typing import NamedTuple

from ramet.advisor.boundaries.graph import Graph, Layer
from ramet.advisor.boundaries.proposals import Proposal
from ramet.advisor.boundaries.ranking import is_plumbing, size_prior, strength, total
from ramet.advisor.boundaries.torn import Tables
from ramet.advisor.boundaries.values import Candidate, Effort, Perspective, Score, Shared, Spot
from ramet.advisor.facts import Edge, Facts, Kind, Place
from ramet.advisor.history.ownership import owners_for
from ramet.advisor.people import is_person
from ramet.advisor.phrases import counted

MOST_PLACES = 20
MOST_SPOTS = 5
MOST_WORDS = 8


class _Crossing(NamedTuple):
    """Dependencies across a cut, and the names that the outside uses."""

    inward: list[Edge]
    outward: list[Edge]
    contract: tuple[str, ...]
    places: tuple[Place, ...]


class Evidence:
    """What the candidates of one code base are measured with."""

    def __init__(self, facts: Facts, graph: Graph) -> None:
        self.code = {one.path: one for one in facts.modules if one.role not in ("tests", "migrations")}
        self._plumbing = {path for path, one in self.code.items() if is_plumbing(path, one.role)}
        self._facts = facts
        self._tables = Tables(facts)
        self._edges: defaultdict[str, list[Edge]] = defaultdict(list)
        for edge in facts.edges:
            if edge.source in self.code and edge.target in self.code:
                self._edges[edge.source].append(edge)
                self._edges[edge.target].append(edge)
        self._around = {name: _around(graph.paths, layer, self.code.keys()) for name, layer in _layers(graph).items()}
        self._commits: list[frozenset[str]] = []
        self._authors: list[str] = []
        self._changed: defaultdict[str, list[int]] = defaultdict(list)
        for commit in facts.commits:
            files = frozenset(path for path in commit.files if path in self.code)
            if files and not commit.merge and not commit.is_large:
                for path in files:
                    self._changed[path].append(len(self._commits))
                self._commits.append(files)
                self._authors.append(commit.author)
        self._users = Counter(word for one in self.code.values() for word in one.words)
        self._below = Counter(folder for path in self.code for folder in _above(path))

    def score(self, modules: AbstractSet[str]) -> Score:
        """The figures of the rank."""
        commits, alone = self.changes(modules)
        outside = {one for path in modules for edge in self._edges[path] if (one := edge.source) not in modules}
        return total(
            {
                "cohesion": self._inside("weights", modules),
                "independence": (alone + 0.5) / (commits + 2),
                "low_fan_in": len(modules) / (len(modules) + 2 * len(outside)),
                "size": size_prior(len(modules) / max(1, len(self.code)), len(modules)),
                "vocabulary": self._inside("words", modules),
                "folders": self._folders(modules),
                "data": self._tables.keeping(modules),
                "business": 1 - len(self._plumbing & modules) / max(1, len(modules)),
            }
        )

    def changes(self, modules: AbstractSet[str]) -> tuple[int, int]:
        """Commits that touched these modules, and how many of them touched no other code."""
        found = {number for path in modules for number in self._changed[path]}
        return len(found), sum(self._commits[number] <= modules for number in found)

    def candidate(self, proposal: Proposal, score: Score) -> Candidate:
        """Everything about one set of modules."""
        modules = proposal.modules
        commits, alone = self.changes(modules)
        crossing = self._crossing(modules)
        shared, torn = self._tables.shared(modules), self._tables.torn(modules)
        lines = sum(self.code[path].lines for path in modules)
        how_strong, reasons = strength(
            score, commits, borrowed=sum(one.written_across and not one.owned for one in shared), torn=len(torn)
        )
        names = len(crossing.contract) or len(crossing.inward)
        return Candidate(
            name=proposal.name,
            origin=proposal.origin,
            folders=proposal.folders,
            modules=tuple(sorted(modules)),
            lines=lines,
            score=score,
            strength=how_strong,
            reasons=reasons,
            fan_in=len({edge.source for edge in crossing.inward}),
            fan_out=len({edge.target for edge in crossing.outward}),
            links_in=len(crossing.inward),
            links_out=len(crossing.outward),
            crossing=crossing.places,
            contract=crossing.contract,
            tables=self._tables.of(modules),
            shared=shared,
            torn=torn,
            commits=commits,
            commits_alone=alone,
            authors=len(
                {who for path in modules for number in self._changed[path] if is_person(who := self._authors[number])}
            ),
            owners=self._owners(modules),
            hot_spots=self._hot_spots(modules),
            words=self._words(modules),
            perspectives=self._perspectives(modules, score, shared),
            effort=effort(lines, names, len(shared), len(torn)),
        )

    def _crossing(self, modules: AbstractSet[str]) -> _Crossing:
        edges = [edge for path in sorted(modules) for edge in self._edges[path] if _crosses(edge, modules)]
        inward = [edge for edge in edges if edge.target in modules]
        return _Crossing(
            inward=inward,
            outward=[edge for edge in edges if edge.source in modules],
            contract=tuple(sorted({name for edge in inward for name in edge.names})),
            places=tuple(Place(path=edge.source, line=(edge.lines or (1,))[0]) for edge in edges[:MOST_PLACES]),
        )

    def _perspectives(
        self, modules: AbstractSet[str], score: Score, shared: tuple[Shared, ...]
    ) -> tuple[Perspective, ...]:
        borrowed = sum(not one.owned for one in shared)
        return (
            _by_change(*self.changes(modules)),
            self._by_scalability(modules),
            _by_domain(score, self._words(modules), len(self._tables.of(modules)), borrowed),
        )

    def _inside(self, layer: str, modules: AbstractSet[str]) -> float:
        """The share of the weight at these modules that stays among them."""
        inside = whole = 0.0
        for path in sorted(modules):
            for other, weight in self._around[layer].get(path, ()):
                whole += weight
                inside += weight if other in modules else 0.0
        return inside / whole if whole else 0.0

    def _folders(self, modules: AbstractSet[str]) -> float:
        """How near one folder comes: the best F1 of a folder and these modules."""
        counts = Counter(folder for path in modules for folder in _above(path))
        return max((2 * count / (len(modules) + self._below[one]) for one, count in counts.items()), default=0.0)

    def _words(self, modules: AbstractSet[str]) -> tuple[str, ...]:
        """The words that are said most here and least elsewhere."""
        here = Counter(word for path in modules for word in self.code[path].words)
        whole = len(self.code)
        told = {word: -count * log(whole * count / (self._users[word] * len(modules))) for word, count in here.items()}
        return tuple(sorted(told, key=lambda word: (told[word], word))[:MOST_WORDS])

    def _hot_spots(self, modules: AbstractSet[str]) -> tuple[Spot, ...]:
        spots = [
            Spot(path=path, changes=len(self._changed[path]), complexity=self.code[path].complexity) for path in modules
        ]
        return tuple(sorted(spots, key=lambda one: (-one.changes * one.complexity, one.path))[:MOST_SPOTS])

    def _owners(self, modules: AbstractSet[str]) -> tuple[str, ...]:
        return tuple(sorted({owner for path in modules for owner in owners_for(path, self._facts.owners)}))

    def _by_scalability(self, modules: AbstractSet[str]) -> Perspective:
        """The share of the time that is spent here where traffic is known, else of the places where work is queued."""
        calls = [one for one in self._facts.traffic if one.target in modules or one.source in modules]
        if calls:
            whole = sum(one.count * one.mean_ms for one in self._facts.traffic) or 1.0
            share = sum(one.count * one.mean_ms for one in calls if one.target in modules) / whole
            return Perspective(
                name="scalability", value=share, reason=f"{share:.0%} of the time of the traces is spent here"
            )
        queues = [one.place.path in modules for one in self._facts.topics if one.system != "django-signal"]
        routes = sum(one.place.path in modules for one in self._facts.routes)
        if not any(queues):
            reason = f"no traffic was given, no queue is known; {counted(routes, 'route')} served here"
            return Perspective(name="scalability", value=None, reason=reason)
        here = f"{sum(queues)} of {len(queues)} places that send or take messages and tasks are here"
        reason = f"{here}, and {counted(routes, 'route')}"
        return Perspective(
            name="scalability", value=sum(queues) / len(queues), reason=f"{reason}; no traffic was given"
        )


def effort(lines: int, contract: int, shared: int, torn: int) -> Effort:
    """Person-days: one for each 1,000 lines moved, a half for each name of the contract, three for each shared table,
    five for each torn transaction; from half of that to twice as much."""
    days = lines / 1000 + contract / 2 + 3 * shared + 5 * torn
    counts = (f"{lines:,} lines", f"{counted(contract, 'name')} used from outside", counted(shared, "shared table"))
    basis = ", ".join((*counts, counted(torn, "torn transaction")))
    least, most = max(1.0, round(days / 2, 1)), max(2.0, round(days * 2, 1))
    return Effort(least=least, most=most, basis=f"rule of thumb, a day at least: {basis}")


def _by_change(commits: int, alone: int) -> Perspective:
    share = alone / commits if commits else None
    reason = f"{alone} of its {commits} commits touched no other code" if commits else "no commits are known"
    return Perspective(name="change", value=share, reason=reason)


def _by_domain(score: Score, words: tuple[str, ...], own: int, borrowed: int) -> Perspective:
    share = own / (own + borrowed) if own or borrowed else 0.5
    reason = f"it speaks of {', '.join(words[:4])}; {counted(own, 'table')} of its own, {borrowed} of others"
    return Perspective(name="domain", value=(score.vocabulary + share) / 2, reason=reason)


def _crosses(edge: Edge, modules: AbstractSet[str]) -> bool:
    return edge.kind is not Kind.CALL and (edge.source in modules) != (edge.target in modules)


def _layers(graph: Graph) -> dict[str, Layer]:
    return {"weights": graph.weights, "words": graph.layers["words"]}


def _around(paths: tuple[str, ...], layer: Layer, code: AbstractSet[str]) -> dict[str, list[tuple[str, float]]]:
    """The neighbours of each module, tests and migrations left out."""
    found: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
    for (one, other), weight in layer.items():
        if paths[one] in code and paths[other] in code:
            found[paths[one]].append((paths[other], weight))
            found[paths[other]].append((paths[one], weight))
    return found


def _above(path: str) -> list[str]:
    folders = path.split("/")[:-1]
    return ["/".join(folders[: depth + 1]) for depth in range(len(folders))]
