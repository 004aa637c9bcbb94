"""Pure: which services to put into one process and which apart, from live traffic, with reasons and doubts."""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec

from ramet.advisor.phrases import counted, listed
from ramet.advisor.placement.judging import judge
from ramet.advisor.placement.search import MOST_EXACT, Board, best
from ramet.advisor.placement.values import (
    HOP_MICROSECONDS,
    REMOTE_CALL_MICROSECONDS,
    Advice,
    Groups,
    Judged,
    Question,
)

WORTH_CORES = 0.005
"""Less than this much of a core saved is no reason to change anything."""
SHORT_SECONDS = 600.0
FEW_CALLS = 30


def advise(question: Question) -> Advice:
    """A better placement than today's, if the traffic says enough and there is one."""
    today = judge(question, question.today)
    calls = sum(edge.calls for edge in question.edges)
    proposal, reasons = _decided(question, today, calls)
    doubts = tuple(_doubts(question, proposal or today))
    return Advice(
        today=today, proposal=proposal, reasons=tuple(reasons), doubts=doubts, calls=calls, seconds=question.seconds
    )


def _decided(question: Question, today: Judged, calls: int) -> tuple[Judged | None, list[str]]:
    if calls < question.rules.least_calls:
        few = f"Only {counted(calls, 'call')} were counted in {question.seconds:,.0f} s"
        return None, [f"{few}, and it takes {question.rules.least_calls:,}: nothing is proposed."]
    groups = best(question)
    if groups is None:
        return None, [
            "No placement keeps all the rules: what must be together must also be apart, or not be replicated."
        ]
    proposal = judge(question, groups)
    if not _is_worth_it(today, proposal):
        return None, [_stays(question, today)]
    return proposal, list(_reasons(question, today, proposal))


def _is_worth_it(today: Judged, proposal: Judged) -> bool:
    if today.broken or today.overload - proposal.overload > 1e-6 or today.excess > proposal.excess:
        return True
    saved = today.remote_cores - proposal.remote_cores
    return saved >= WORTH_CORES or (saved >= 0 and processes(today) > processes(proposal))


def processes(judged: Judged) -> int:
    """How many a placement has, replicas counted."""
    return sum(process.replicas for process in judged.processes)


def _stays(question: Question, today: Judged) -> str:
    if len(today.processes) == 1 and processes(today) == 1:
        return f"One process has room for all of it, {today.cores:.2f} cores: nothing is better together than together."
    kind = "placement" if len(Board(question).atoms) <= MOST_EXACT else "placement that was found"
    return f"No {kind} within the rules saves {WORTH_CORES:g} of a core or a process: it stays as it is."


# -- why ---------------------------------------------------------------------------------------------------------


def _reasons(question: Question, today: Judged, proposal: Judged) -> Iterator[str]:
    for broken in today.broken:
        yield f"Today {broken}, which the rules demand."
    if today.overload > proposal.overload + 1e-6:
        yield (
            f"Today's processes want {today.overload:.2f} cores more than they may use "
            f"({question.rules.cores_per_process:g} each); the proposal's {proposal.overload:.2f}."
        )
    yield from _moves(question, today, proposal)
    before, after = processes(today), processes(proposal)
    if before != after:
        yield f"It takes {after} {'process' if after == 1 else 'processes'} instead of {before}."
    yield from _replicas(question, proposal)


def _moves(question: Question, today: Judged, proposal: Judged) -> Iterator[str]:
    """The pairs with the most calls that come together or apart."""
    now, then = _homes(today), _homes(proposal)
    rates: dict[tuple[str, str], float] = {}
    for edge in question.edges:
        if edge.caller in now and edge.callee in now:
            pair = (edge.caller, edge.callee)
            rates[pair] = rates.get(pair, 0.0) + edge.per_second
    for (caller, callee), rate in sorted(rates.items(), key=lambda item: (-item[1], item[0]))[:20]:
        was, will = now[caller] == now[callee], then[caller] == then[callee]
        cost = rate * REMOTE_CALL_MICROSECONDS / 1e6
        often = f"{rate:,.1f} times a second"
        if will and not was:
            saves = f"{cost:.4f} cores, and {HOP_MICROSECONDS:g} µs a call"
            yield f"{caller} calls {callee} {often}: together, that saves {saves}."
        elif was and not will:
            why = "one process would be too full, or the rules demand it"
            yield f"{caller} calls {callee} {often}: apart, that costs {cost:.4f} cores; {why}."


def _homes(judged: Judged) -> dict[str, int]:
    return {name: number for number, process in enumerate(judged.processes) for name in process.services}


def _replicas(question: Question, proposal: Judged) -> Iterator[str]:
    wanted = {part.name: part.replicas for part in question.parts}
    for process in proposal.processes:
        least = max(wanted[name] for name in process.services)
        if process.replicas > least:
            yield f"{listed(process.services)} need {process.cores:.2f} cores, so {process.replicas} replicas."
    if proposal.overload > 1e-6:
        yield (
            f"{proposal.overload:.2f} cores remain too many for processes that cannot be replicated: "
            "data in SQLite or events in memory tie them to one."
        )


# -- how sure ----------------------------------------------------------------------------------------------------


def _doubts(question: Question, shown: Judged) -> Iterator[str]:
    yield (
        "Medians are those of buckets, so up to a tenth of each may be too much or too little; hops are "
        "counted one after the other, averaged over all calls of a service, sagas and events included."
    )
    if not question.is_cores_measured:
        yield "Nobody measured processor time: the time that calls take stands for it, which counts waiting as work."
    else:
        yield "Processor time was measured for all together, and shared out by the number of calls."
    if question.seconds < SHORT_SECONDS:
        yield f"The traffic is that of {question.seconds:,.0f} s, which may not be the usual one, nor its peak."
    few = [f"{edge.caller or 'outside'} → {edge.method}" for edge in question.edges if 0 < edge.calls < FEW_CALLS]
    if few:
        yield f"Fewer than {FEW_CALLS} calls were counted of {listed(few, 4)}: their rates are rough."
    if sum(edge.calls for edge in question.edges) >= question.rules.least_calls:
        yield from _sensitivity(question, tuple(process.services for process in shown.processes))


def _sensitivity(question: Question, groups: Groups) -> Iterator[str]:
    """Whether another load would be better placed in another way."""
    other = []
    for factor, words in ((0.5, "half"), (2.0, "twice")):
        found = best(scaled(question, factor))
        if found is not None and {frozenset(one) for one in found} != {frozenset(one) for one in groups}:
            other.append((words, found))
    for words, found in other:
        shown = "; ".join(listed(group) for group in found)
        yield f"With {words} the load the best groups would be {shown}."
    if not other:
        yield "The groups would be the same with half and with twice the load."


def scaled(question: Question, factor: float) -> Question:
    """The same with more or less of everything."""
    if not math.isfinite(factor) or factor <= 0:
        raise ValueError("a factor is a positive number")
    replace = msgspec.structs.replace
    return replace(
        question,
        parts=tuple(replace(part, cores=part.cores * factor) for part in question.parts),
        edges=tuple(replace(edge, per_second=edge.per_second * factor) for edge in question.edges),
    )
