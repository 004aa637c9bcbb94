"""Pure: the best way to put parts into process groups: exact for few, by merging and moving for many.

Few: every set partition, depth first, cut off where what is placed so far is already no better than the best known
(branch and bound). Many: agglomerative merging, then moves of one at a time until none helps (Kernighan and Lin's idea
of local improvement, without their chains).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import combinations

from ramet.advisor.placement.values import (
    LOCAL_CALL_MICROSECONDS,
    REMOTE_CALL_MICROSECONDS,
    Groups,
    Part,
    Question,
)

MOST_EXACT = 10
Score = tuple[float, int, float, int]
"""Cores too many, processes too many, cores for calls between processes, processes: less is better, in this order."""
Ways = list[list[int]]
"""Atoms by their number, in groups."""


class Board:
    """The parts of a question as atoms: those that must be together are one."""

    def __init__(self, question: Question) -> None:
        self.rules = question.rules
        self.parts = {part.name: part for part in question.parts}
        self.atoms = _atoms(question)
        at = {name: index for index, atom in enumerate(self.atoms) for name in atom}
        self.cores = [sum(self.parts[name].cores for name in atom) for atom in self.atoms]
        self.wanted = [max(self.parts[name].replicas for name in atom) for atom in self.atoms]
        self.may_replicate = [all(self.parts[name].may_replicate for name in atom) for atom in self.atoms]
        self.links: dict[tuple[int, int], float] = {}
        for edge in question.edges:
            one, other = at.get(edge.caller), at.get(edge.callee)
            if one is not None and other is not None and one != other:
                pair = (min(one, other), max(one, other))
                self.links[pair] = self.links.get(pair, 0.0) + remote_cores(edge.per_second)

    @cached_property
    def enemies(self) -> frozenset[tuple[int, int]]:
        """Pairs of atoms that may not share a process, the smaller number first."""
        return frozenset(pair for pair in combinations(range(len(self.atoms)), 2) if self._apart(*pair))

    def _apart(self, one: int, other: int) -> bool:
        return any(
            keep_apart(self.parts[first], self.parts[second], self.rules.apart)
            for first in self.atoms[one]
            for second in self.atoms[other]
        )

    def allows(self, group: Sequence[int]) -> bool:
        """Whether these may be one process group."""
        if any((min(pair), max(pair)) in self.enemies for pair in combinations(group, 2)):
            return False
        return all(self.may_replicate[one] for one in group) or max(self.wanted[one] for one in group) == 1

    def score(self, groups: Ways) -> Score:
        """What a placement costs; of a partial one, at most what any completion of it does."""
        home = {one: number for number, group in enumerate(groups) for one in group}
        loads = [sum(self.cores[one] for one in group) for group in groups]
        remote = 0.0
        for (one, other), cores in self.links.items():
            if one in home and other in home and home[one] != home[other]:
                remote += cores
                loads[home[one]] += cores / 2
                loads[home[other]] += cores / 2
        replicas = [self.replicas(group, load) for group, load in zip(groups, loads, strict=True)]
        limit = self.rules.cores_per_process
        over = sum(max(0.0, load - count * limit) for load, count in zip(loads, replicas, strict=True))
        excess = max(0, sum(replicas) - self.rules.most_processes) if self.rules.most_processes is not None else 0
        return round(over, 9), excess, round(remote, 9), sum(replicas)

    def replicas(self, group: Sequence[int], load: float) -> int:
        """How many a group wants: what is asked for, and enough for its load where it may have several."""
        wanted = max(self.wanted[one] for one in group)
        enough = math.ceil(round(load / self.rules.cores_per_process, 9))
        return max(wanted, enough) if all(self.may_replicate[one] for one in group) else wanted

    def ways(self, groups: Groups) -> Ways | None:
        """A placement in atoms; None where it keeps the rules not."""
        home = {name: number for number, group in enumerate(groups) for name in group}
        found: dict[int, list[int]] = {}
        for index, atom in enumerate(self.atoms):
            at = {home.get(name, -1) for name in atom}
            if len(at) > 1 or -1 in at:
                return None
            found.setdefault(at.pop(), []).append(index)
        return list(found.values()) if all(self.allows(group) for group in found.values()) else None

    def names(self, ways: Ways) -> Groups:
        """A placement by names, in the order of the parts."""
        order = list(self.parts)
        groups = [tuple(sorted((name for one in group for name in self.atoms[one]), key=order.index)) for group in ways]
        return tuple(sorted(groups, key=lambda group: order.index(group[0])))


def remote_cores(per_second: float) -> float:
    """Processor time of so many calls when they cross from one process to another, beyond what they cost inside."""
    return per_second * (REMOTE_CALL_MICROSECONDS - LOCAL_CALL_MICROSECONDS) / 1e6


def keep_apart(one: Part, other: Part, apart: Sequence[Sequence[str]]) -> bool:
    """Whether two parts may not share a process."""
    if one.isolated or other.isolated or (one.team and other.team and one.team != other.team):
        return True
    return any(one.name in names and other.name in names for names in apart)


def best(question: Question) -> Groups | None:
    """The placement with the lowest score; today's where nothing is better. None where no placement keeps the rules."""
    board = Board(question)
    alone = [[index] for index in range(len(board.atoms))]
    if not all(board.allows(group) for group in alone) or _torn(board):
        return None
    starts = [start for start in (board.ways(question.today),) if start is not None]
    ways = [*starts, *(_moved(board, start) for start in starts), _moved(board, _merged(board, alone))]
    found = min(ways, key=board.score)
    if len(board.atoms) <= MOST_EXACT:
        found = _exact(board, found)
    return board.names(found)


def _torn(board: Board) -> bool:
    """Whether parts that must be together may not be."""
    return any(
        keep_apart(board.parts[one], board.parts[other], board.rules.apart)
        for atom in board.atoms
        for one, other in combinations(atom, 2)
    )


def _exact(board: Board, known: Ways) -> Ways:
    """Every partition that could be better than the one that is known."""
    traffic = [sum(cores for pair, cores in board.links.items() if index in pair) for index in range(len(board.atoms))]
    order = sorted(range(len(board.atoms)), key=lambda index: (-traffic[index], index))
    found, lowest = known, board.score(known)

    def place(depth: int, groups: Ways) -> None:
        nonlocal found, lowest
        score = board.score(groups)
        if score >= lowest:
            return
        if depth == len(order):
            found, lowest = [list(group) for group in groups], score
            return
        for group in [*groups, []]:
            group.append(order[depth])
            if board.allows(group):
                place(depth + 1, groups if len(group) > 1 else [*groups, group])
            group.pop()

    place(0, [])
    return found


def _merged(board: Board, groups: Ways) -> Ways:
    """Two groups become one as long as that is better, the best pair first."""
    while True:
        ways = list(_unions(board, groups))
        better = min(ways, key=board.score, default=groups)
        if board.score(better) >= board.score(groups):
            return groups
        groups = better


def _unions(board: Board, groups: Ways) -> Iterator[Ways]:
    for one, other in combinations(range(len(groups)), 2):
        union = sorted([*groups[one], *groups[other]])
        if board.allows(union):
            yield [*(group for at, group in enumerate(groups) if at not in (one, other)), union]


def _moved(board: Board, groups: Ways) -> Ways:
    """One atom goes elsewhere as long as that is better; the first move that helps is made."""
    while (better := next(_improvements(board, groups), None)) is not None:
        groups = better
    return groups


def _improvements(board: Board, groups: Ways) -> Iterator[Ways]:
    score = board.score(groups)
    for index in range(len(board.atoms)):
        rest = [[one for one in group if one != index] for group in groups]
        for at in range(len(rest) + 1):
            moved = [[*group, index] if number == at else group for number, group in enumerate([*rest, []])]
            moved = [sorted(group) for group in moved if group]
            if all(board.allows(group) for group in moved if index in group) and board.score(moved) < score:
                yield moved


def _atoms(question: Question) -> list[tuple[str, ...]]:
    """Parts that must be together, joined."""
    atom = {part.name: part.name for part in question.parts}
    for names in question.rules.together:
        joined = {atom[name] for name in names if name in atom}
        for name, home in atom.items():
            if home in joined:
                atom[name] = min(joined)
    return [tuple(name for name in atom if atom[name] == home) for home in dict.fromkeys(atom.values())]
