"""Pure: how good a partition of a code base is: by itself, and beside the truth.

Internal measures are easy to win and do not predict agreement with people: judge a method by `adjusted_rand` and
`mojo_fm`, and use the others to describe a cut. Formulas as in the published replication code of Mono2Micro (Kalia et
al., ESEC/FSE 2021), CARGO (Nitin et al., ASE 2022) and MoJoFM (Wen and Tzerpos, IWPC 2004).

A partition is a mapping of modules to parts; pairs are unordered, unique, and of two different modules of it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from math import log, log2

Pair = tuple[str, str]
Partition = Mapping[str, Hashable]


def structural_modularity(parts: Partition, pairs: Iterable[Pair]) -> float:
    """SM, higher is better: mean density inside parts minus mean density between them."""
    sizes = Counter(parts.values())
    inside, between = _linked(parts, pairs)
    count = len(sizes)
    if not count:
        return 0.0
    cohesion = sum(inside[part] / size**2 for part, size in sizes.items()) / count
    if count == 1:
        return cohesion
    coupling = sum(2 * linked / (2 * sizes[one] * sizes[other]) for (one, other), linked in between.items())
    return cohesion - 2 * coupling / (count * (count - 1))


def inter_partition_calls(parts: Partition, volume: Mapping[Pair, float]) -> float:
    """ICP, lower is better: the share of the calls, each pair as 1 + ln(volume), that cross parts."""
    worth = {pair: 1 + log(calls) for pair, calls in volume.items() if calls > 0}
    whole = sum(worth.values())
    return sum(worth[pair] for pair in worth if parts[pair[0]] != parts[pair[1]]) / whole if whole else 0.0


def interface_number(parts: Partition, pairs: Iterable[Pair]) -> float:
    """IFN, lower is better: linked pairs that cross parts, for each part."""
    count = len(set(parts.values()))
    return sum(parts[one] != parts[other] for one, other in set(pairs)) / count if count else 0.0


def non_extreme_distribution(parts: Partition, smallest: int = 5, largest: int = 20) -> float:
    """NED, lower is better: the share of modules that are in parts too small or too large."""
    sizes = Counter(parts.values())
    fine = sum(size for size in sizes.values() if smallest <= size <= largest)
    return 1 - fine / len(parts) if parts else 0.0


def modularization_quality(parts: Partition, pairs: Iterable[Pair]) -> float:
    """MQ, higher is better: the sum over parts of 2·inside / (2·inside + leaving)."""
    inside, between = _linked(parts, pairs)
    leaving: Counter[Hashable] = Counter()
    for (one, other), linked in between.items():
        leaving[one] += linked
        leaving[other] += linked
    return sum(2 * linked / (2 * linked + leaving[part]) for part, linked in inside.items() if linked)


def cohesion(parts: Partition, weights: Mapping[Pair, float]) -> float:
    """CARGO's cohesion, higher is better: the mean over parts of 2·inside / (2·inside + leaving), by weight."""
    inside: defaultdict[Hashable, float] = defaultdict(float)
    leaving: defaultdict[Hashable, float] = defaultdict(float)
    for (one, other), weight in weights.items():
        if parts[one] == parts[other]:
            inside[parts[one]] += weight
        else:
            leaving[parts[one]] += weight
            leaving[parts[other]] += weight
    found = [
        2 * inside[part] / (2 * inside[part] + leaving[part]) if inside[part] else 0.0 for part in set(parts.values())
    ]
    return sum(sorted(found)) / len(found) if found else 0.0


def coupling(parts: Partition, weights: Mapping[Pair, float]) -> float:
    """CARGO's coupling, lower is better: the share of the weight that crosses parts."""
    whole = sum(weights.values())
    return (
        sum(weight for (one, other), weight in weights.items() if parts[one] != parts[other]) / whole if whole else 0.0
    )


def transactional_purity(parts: Partition, tables: Mapping[str, Iterable[str]]) -> float:
    """CARGO's purity, higher is better: 1 minus the mean over tables of the entropy of the parts that touch them.

    `tables` names the functions or modules that touch each table, with repetition. The entropy is divided by that of
    an even spread over all parts, so that 0 and 1 are the limits.
    """
    spread = log2(len(set(parts.values()))) if parts else 0.0
    entropies = []
    for users in tables.values():
        counts = Counter(parts[user] for user in users if user in parts)
        whole = sum(counts.values())
        if whole:
            entropy = -sum(count / whole * log2(count / whole) for count in counts.values())
            entropies.append(entropy / spread if spread else 0.0)
    return 1 - sum(entropies) / len(entropies) if entropies else 1.0


def adjusted_rand(found: Sequence[Hashable], truth: Sequence[Hashable]) -> float:
    """ARI (Hubert and Arabie, 1985): 1 for equal partitions, about 0 for chance."""
    together = _pairs(Counter(zip(found, truth, strict=True)))
    ours, theirs, all_pairs = _pairs(Counter(found)), _pairs(Counter(truth)), len(truth) * (len(truth) - 1) / 2
    expected = ours * theirs / all_pairs if all_pairs else 0.0
    most = (ours + theirs) / 2
    return (together - expected) / (most - expected) if most != expected else 1.0


def mojo_fm(found: Sequence[Hashable], truth: Sequence[Hashable]) -> float:
    """MoJoFM in percent: the fewest moves and joins that turn one into the other, beside the worst; 100 if equal."""
    filled = 0
    for size in sorted(Counter(truth).values()):
        filled += size > filled
    worst = len(truth) - filled
    return 100 * (1 - _moves_and_joins(found, truth) / worst) if worst else 100.0


def f1(found: AbstractSet[str], truth: AbstractSet[str]) -> float:
    """The harmonic mean of precision and recall of a set."""
    both = len(found & truth)
    return 2 * both / (len(found) + len(truth)) if both else 0.0


def _moves_and_joins(found: Sequence[Hashable], truth: Sequence[Hashable]) -> int:
    overlap: defaultdict[Hashable, Counter[Hashable]] = defaultdict(Counter)
    for ours, theirs in zip(found, truth, strict=True):
        overlap[ours][theirs] += 1
    kept = sum(max(counts.values()) for counts in overlap.values())
    return len(truth) - kept + len(overlap) - _matched(overlap)


def _matched(overlap: Mapping[Hashable, Counter[Hashable]]) -> int:
    """How many true parts can have a found part of their own, each among those that it overlaps most."""
    wanted = {
        ours: [one for one, count in counts.items() if count == max(counts.values())]
        for ours, counts in overlap.items()
    }
    taken: dict[Hashable, Hashable] = {}

    def place(ours: Hashable, tried: set[Hashable]) -> bool:
        for one in wanted[ours]:
            if one not in tried:
                tried.add(one)
                if one not in taken or place(taken[one], tried):
                    taken[one] = ours
                    return True
        return False

    return sum(place(ours, set()) for ours in wanted)


def _linked(parts: Partition, pairs: Iterable[Pair]) -> tuple[Counter[Hashable], Counter[tuple[Hashable, Hashable]]]:
    """Linked pairs inside each part, and between each two; the two are in the order of their first module."""
    order = {part: number for number, part in enumerate(dict.fromkeys(parts.values()))}
    inside: Counter[Hashable] = Counter()
    between: Counter[tuple[Hashable, Hashable]] = Counter()
    for one, other in {tuple(sorted(pair)) for pair in pairs}:
        first, second = sorted((parts[one], parts[other]), key=order.__getitem__)
        if first == second:
            inside[first] += 1
        else:
            between[first, second] += 1
    return inside, between


def _pairs(counts: Mapping[Hashable, int]) -> float:
    return sum(count * (count - 1) / 2 for count in counts.values())
