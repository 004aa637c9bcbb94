"""Pure: parts after the runs: modules go where most of their links are, and pieces join what they are of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from math import sqrt

Links = Mapping[int, Sequence[tuple[int, float]]]
CLEARLY = 1.2
"""A module leaves its part for another that holds so many times as much of its links."""
MOST_ROUNDS = 10
FEWEST = 4
"""With fewer modules a part is none."""
HOMES = frozenset({"models.py", "apps.py"})
"""Files that a subject has one of, where a code base has such files at all."""
FEWEST_HOMES = 5
MOST_HOMELESS = 40
"""A part without such a file is a piece of another, unless it has more modules than this, …"""
LEAST_SHARE = 0.1
"""… or less of its links to any other."""


def settled(paths: Sequence[str], weights: Mapping[tuple[int, int], float], run: Sequence[int]) -> list[int]:
    """The part of each module, by number."""
    links = _links(weights)
    of = _moved(links, run)
    of = _joined(links, of, most=FEWEST - 1, share=0.0, homes=())
    homes = [number for number, path in enumerate(paths) if path.rpartition("/")[2] in HOMES]
    if len(homes) < FEWEST_HOMES:
        return of
    return _joined(links, of, most=MOST_HOMELESS, share=LEAST_SHARE, homes=homes)


def _links(weights: Mapping[tuple[int, int], float]) -> Links:
    found: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)
    for (one, other), weight in weights.items():
        found[one].append((other, weight))
        found[other].append((one, weight))
    return found


def _moved(links: Links, run: Sequence[int]) -> list[int]:
    """Every module in the part that holds most of its links, as far as that is clearly another."""
    of = list(run)
    for _ in range(MOST_ROUNDS):
        moved = False
        for number in sorted(links):
            pull: defaultdict[int, float] = defaultdict(float)
            for other, weight in links[number]:
                pull[of[other]] += weight
            best = min(pull, key=lambda part: (-pull[part], part))
            if pull[best] > pull[of[number]] * CLEARLY:
                of[number], moved = best, True
        if not moved:
            break
    return of


def _joined(links: Links, run: Sequence[int], *, most: int, share: float, homes: Collection[int]) -> list[int]:
    """The smallest part of at most so many modules and without a home joins the neighbour it is linked to most, for
    that one's size, if this has at least a share of its links; and so on."""
    of = list(run)
    members: defaultdict[int, list[int]] = defaultdict(list)
    for number, part in enumerate(of):
        members[part].append(number)
    staying = {of[number] for number in homes}
    while small := [part for part, its in members.items() if len(its) <= most and part not in staying]:
        part = min(small, key=lambda one: (len(members[one]), one))
        best = _nearest(links, of, members, part, share)
        if best is None:
            staying.add(part)
            continue
        for number in members[part]:
            of[number] = best
        members[best] += members.pop(part)
    return of


def _nearest(
    links: Links, of: Sequence[int], members: Mapping[int, Sequence[int]], part: int, share: float
) -> int | None:
    pull: defaultdict[int, float] = defaultdict(float)
    for number in members[part]:
        for other, weight in links.get(number, ()):
            pull[of[other]] += weight
    whole = sum(pull.values())
    others = [one for one in pull if one != part]
    best = min(others, key=lambda one: (-pull[one] / sqrt(len(members[one])), one), default=None)
    return best if best is not None and pull[best] >= share * whole else None
