"""Pure: how strongly any two modules belong together: several kinds of evidence, each on one scale, added up.

```
links      imports, string references, calls; divided by how many each end has, so that hubs join nobody
changes    commits of both ÷ the commits of each, once with every commit alike and once with small commits counted more
words      cosine of tf-idf vectors of the identifiers; paths and import lines are not among them
subjects   the same of the words in the subjects of the commits that touched a module
```

Two modules of one role (views and views, tests and tests) resemble each other without belonging together: their words
do not count, and their common changes a fifth. Migrations and modules without a word are left out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from ramet.advisor.boundaries.graph_changes import changes, small_changes
from ramet.advisor.boundaries.graph_links import links
from ramet.advisor.boundaries.graph_words import alike, spoken, subjects
from ramet.advisor.facts import Facts, Module

Pair = tuple[int, int]
Layer = Mapping[Pair, float]
FOLDERS_OF_A_ROLE = 4
"""A file name that occurs in this many folders is a role, whatever it means."""


class Weights(msgspec.Struct, frozen=True, kw_only=True):
    """How much each kind of evidence counts, when each has the same total; 0 leaves it out."""

    links: float = 2.0
    changes: float = 1.0
    small_changes: float = 1.0
    words: float = 1.0
    subjects: float = 0.7
    nearest: int = 20
    """Links kept for each module: the strongest."""


class Graph(NamedTuple):
    """Modules by number, and what links them: `layers` singly, `together` as one, `weights` the strongest of that.

    Pairs are (lower, higher).
    """

    paths: tuple[str, ...]
    layers: Mapping[str, Layer]
    together: Layer
    weights: Layer


def build(facts: Facts, weights: Weights | None = None) -> Graph:
    """The graph of a code base. Equal facts give an equal graph, whatever the order of sets and dictionaries was."""
    weights = weights or Weights()
    modules = [one for one in facts.modules if belongs(one)]
    numbers = {one.path: number for number, one in enumerate(modules)}
    roles = roles_of(modules)
    layers: dict[str, Layer] = {"links": links(facts.edges, numbers)}
    for name, find, share in (
        ("changes", changes, weights.changes),
        ("small_changes", small_changes, weights.small_changes),
    ):
        layers[name] = damped(find(facts.commits, numbers), roles, 0.2) if share else {}
    layers["words"] = alike(spoken(modules), roles) if weights.words else {}
    layers["subjects"] = alike(subjects(facts.commits, numbers), roles) if weights.subjects else {}
    shares = {name: getattr(weights, name) for name in layers}
    together = added(layers, shares, len(modules))
    return Graph(tuple(numbers), layers, together, strongest(together, weights.nearest))


def belongs(module: Module) -> bool:
    """Whether a module takes part: it says something, and was not generated from the models."""
    return bool(module.words) and module.role != "migrations"


def roles_of(modules: Iterable[Module]) -> list[str]:
    """What kind of module each is: its role, or its file's name where many folders have a file of that name."""
    modules = list(modules)
    seen = {(one.path.rpartition("/")[2], one.path.rpartition("/")[0]) for one in modules}
    folders = Counter(name for name, _ in seen)
    found = []
    for one in modules:
        name = one.path.rpartition("/")[2]
        found.append(one.role or (name if folders[name] >= FOLDERS_OF_A_ROLE else ""))
    return found


def damped(layer: Layer, roles: list[str], share: float) -> Layer:
    """The layer with what links two modules of one role reduced to this share."""
    return {
        (one, other): weight * share if roles[one] and roles[one] == roles[other] else weight
        for (one, other), weight in layer.items()
    }


def added(layers: Mapping[str, Layer], shares: Mapping[str, float], modules: int) -> Layer:
    """The layers in one, each scaled to the same total before its share of the evidence is taken."""
    total: defaultdict[Pair, float] = defaultdict(float)
    for name, layer in layers.items():
        whole = sum(layer.values())
        if whole > 0:
            for pair, weight in layer.items():
                total[pair] += weight * shares[name] * modules / whole
    return {pair: weight for pair, weight in total.items() if weight > 0}


def strongest(layer: Layer, most: int) -> Layer:
    """Only the links that are among the `most` strongest of one of their ends: hubs of changes fall apart."""
    around: defaultdict[int, list[tuple[float, Pair]]] = defaultdict(list)
    for pair, weight in layer.items():
        around[pair[0]].append((-weight, pair))
        around[pair[1]].append((-weight, pair))
    kept = {pair for found in around.values() for _, pair in sorted(found)[:most]}
    return {pair: layer[pair] for pair in sorted(kept)}
