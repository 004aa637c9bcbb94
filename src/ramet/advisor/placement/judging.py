"""Pure: what a placement costs: processor time for calls between processes, and how long public operations take."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from ramet.advisor.placement.search import Board, keep_apart, remote_cores
from ramet.advisor.placement.values import HOP_MICROSECONDS, Groups, Judged, Operation, Process, Question

DEEPEST = 12
"""How many calls below one another are followed, where services call each other in a circle."""


def judge(question: Question, groups: Groups) -> Judged:
    """A placement by the measure that the search minimises, whether it keeps the rules or not."""
    home = {name: number for number, group in enumerate(groups) for name in group}
    cores = [sum(part.cores for part in question.parts if part.name in group) for group in groups]
    crossing = [edge for edge in question.edges if _crosses(home, edge.caller, edge.callee)]
    for edge in crossing:
        for name in (edge.caller, edge.callee):
            cores[home[name]] += remote_cores(edge.per_second) / 2
    processes = [
        Process(services=group, replicas=_replicas(question, group, load), cores=load)
        for group, load in zip(groups, cores, strict=True)
    ]
    rules = question.rules
    count = sum(process.replicas for process in processes)
    return Judged(
        processes=tuple(processes),
        cores=sum(cores),
        remote_cores=remote_cores(sum(edge.per_second for edge in crossing)),
        remote_per_second=sum(edge.per_second for edge in crossing),
        overload=sum(max(0.0, one.cores - one.replicas * rules.cores_per_process) for one in processes),
        excess=max(0, count - rules.most_processes) if rules.most_processes is not None else 0,
        operations=tuple(_operations(question, groups)),
        broken=tuple(_broken(question, groups)),
    )


def _replicas(question: Question, group: tuple[str, ...], load: float) -> int:
    parts = tuple(part for part in question.parts if part.name in group)
    board = Board(Question(parts=parts, edges=(), rules=question.rules, today=(), measured=(), seconds=1.0))
    return board.replicas(range(len(board.atoms)), load)


def _crosses(home: Mapping[str, int], caller: str, callee: str) -> bool:
    return caller in home and callee in home and home[caller] != home[callee]


def _operations(question: Question, groups: Groups) -> Iterator[Operation]:
    """Requests from outside: the measured median, with the hops it gains or loses."""
    before, after = hops(question, question.measured), hops(question, groups)
    for edge in question.edges:
        if edge.caller == "":
            change = (after[edge.callee] - before[edge.callee]) * HOP_MICROSECONDS / 1000
            predicted = None if edge.milliseconds is None else max(0.0, edge.milliseconds + change)
            yield Operation(
                name=edge.method, per_second=edge.per_second, measured=edge.milliseconds, predicted=predicted
            )


def hops(question: Question, groups: Groups) -> Mapping[str, float]:
    """For each part, how many calls between processes one call of it leads to, on average, one after the other."""
    home = {name: number for number, group in enumerate(groups) for name in group}
    asked: defaultdict[str, float] = defaultdict(float)
    calls: defaultdict[tuple[str, str], float] = defaultdict(float)
    for edge in question.edges:
        asked[edge.callee] += edge.per_second
        calls[edge.caller, edge.callee] += edge.per_second
    found = {part.name: 0.0 for part in question.parts}
    for _ in range(DEEPEST):
        below = found
        found = {part.name: 0.0 for part in question.parts}
        for (caller, callee), rate in calls.items():
            if asked[caller] and caller in found and callee in found:
                found[caller] += rate / asked[caller] * (_crosses(home, caller, callee) + below[callee])
    return found


def _broken(question: Question, groups: Groups) -> Iterator[str]:
    """The rules that a placement does not keep."""
    home = {name: number for number, group in enumerate(groups) for name in group}
    for names in question.rules.together:
        if len({home.get(name) for name in names}) > 1:
            yield f"{' and '.join(names)} are not together"
    for group in groups:
        parts = [part for part in question.parts if part.name in group]
        for number, one in enumerate(parts):
            for other in parts[number + 1 :]:
                if keep_apart(one, other, question.rules.apart):
                    yield f"{one.name} and {other.name} are not apart"
        if max((part.replicas for part in parts), default=1) > 1 and not all(part.may_replicate for part in parts):
            yield f"{' and '.join(part.name for part in parts if not part.may_replicate)} cannot be replicated"
