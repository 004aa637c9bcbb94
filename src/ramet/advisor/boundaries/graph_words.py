"""Pure: the layers of a graph that language makes: modules that use the same rare words.

A word counts log(modules ÷ modules that use it) (Salton and Buckley's tf-idf); modules are compared by the cosine of
their vectors, and each is linked to its nearest.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from heapq import nsmallest
from math import log, sqrt

from ramet.advisor.boundaries.graph_changes import touched
from ramet.advisor.facts import Commit, Module

NEAREST = 10
MOST_WORDS = 40
"""Words compared for each module: those that tell most about it."""
MOST_USERS = 60
"""A word that more modules use joins none of them (and would cost most of the time)."""
WORD = re.compile(r"[a-z]{3,}")


def spoken(modules: Iterable[Module]) -> list[dict[str, float]]:
    """How loudly each module says each of its words."""
    return [{word: 1 + log(count) for word, count in one.words.items()} for one in modules]


def subjects(commits: Iterable[Commit], numbers: Mapping[str, int]) -> list[dict[str, float]]:
    """The words that people used when they changed each module; a commit of many files says little of each."""
    said: list[defaultdict[str, float]] = [defaultdict(float) for _ in numbers]
    for commit, found in touched(commits, numbers):
        words = set(WORD.findall(commit.subject.lower()))
        for number in found:
            for word in words:
                said[number][word] += 1 / len(commit.files)
    return [{word: log(1 + share) for word, share in one.items()} for one in said]


def alike(said: Sequence[Mapping[str, float]], roles: Sequence[str]) -> dict[tuple[int, int], float]:
    """Each module with the nearest that has another role."""
    vectors = _vectors(said)
    users: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    for number, vector in enumerate(vectors):
        for word, weight in vector.items():
            users[word].append((number, weight))
    found: dict[tuple[int, int], float] = {}
    for number, vector in enumerate(vectors):
        for likeness, other in _nearest(number, vector, users, roles):
            found[min(number, other), max(number, other)] = likeness
    return dict(sorted(found.items()))


def _nearest(
    number: int, vector: Mapping[str, float], users: Mapping[str, list[tuple[int, float]]], roles: Sequence[str]
) -> list[tuple[float, int]]:
    likeness: defaultdict[int, float] = defaultdict(float)
    for word, weight in vector.items():
        for other, weight_there in users[word]:
            likeness[other] += weight * weight_there
    role = roles[number]
    others = (
        (-value, other) for other, value in likeness.items() if other != number and not (role and roles[other] == role)
    )
    return [(-value, other) for value, other in nsmallest(NEAREST, others)]


def _vectors(said: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    """Vectors of length one of the words that tell most."""
    users = Counter(word for one in said for word in one)
    most = max(3, min(MOST_USERS, int(0.3 * len(said))))
    rarity = {word: log(len(said) / count) for word, count in users.items() if 2 <= count <= most}
    found = []
    for one in said:
        weights = [(-loud * rarity[word], word) for word, loud in one.items() if word in rarity]
        kept = nsmallest(MOST_WORDS, weights)
        length = sqrt(sum(weight * weight for weight, _ in kept)) or 1.0
        found.append({word: -weight / length for weight, word in kept})
    return found
