"""What the partition is compared with: plain clustering of imports, Louvain, and chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

import igraph

from ramet.advisor.boundaries.graph import belongs, build
from ramet.advisor.boundaries.partition import partition
from ramet.advisor.facts import Facts, Kind


def ramet(facts: Facts) -> dict[str, int]:
    """What `ramet advise` finds."""
    return partition(build(facts)).of


def imports(facts: Facts) -> dict[str, int]:
    """Leiden at resolution 1 on plain imports."""
    paths, graph = _imports(facts)
    igraph.set_random_number_generator(Random(1))
    found = graph.community_leiden(objective_function="modularity", n_iterations=3)
    return dict(zip(paths, found.membership, strict=True))


def louvain(facts: Facts) -> dict[str, int]:
    """Louvain on plain imports."""
    paths, graph = _imports(facts)
    igraph.set_random_number_generator(Random(1))
    return dict(zip(paths, graph.community_multilevel().membership, strict=True))


def chance(facts: Facts) -> dict[str, int]:
    """As many parts as the import clusters have, thrown by dice."""
    found = imports(facts)
    dice, parts = Random(1), len(set(found.values()))
    return {path: dice.randrange(parts) for path in found}


def _imports(facts: Facts) -> tuple[list[str], igraph.Graph]:
    paths = [one.path for one in facts.modules if belongs(one)]
    numbers = {path: number for number, path in enumerate(paths)}
    pairs = {
        tuple(sorted((numbers[one.source], numbers[one.target])))
        for one in facts.edges
        if one.kind in {Kind.IMPORT, Kind.LAZY} and one.source in numbers and one.target in numbers
    }
    return paths, igraph.Graph(n=len(paths), edges=sorted(pairs)).simplify()


RIVALS: Mapping[str, Callable[[Facts], dict[str, int]]] = {
    "ramet": ramet,
    "imports, Leiden": imports,
    "imports, Louvain": louvain,
    "chance": chance,
}
