"""Pure: the plan: how a candidate leaves, step by step, each step a release that can be taken back.

In the manner of the strangler fig (Fowler 2004): the old system stays in front, and traffic moves one route at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ramet.advisor.boundaries.values import Candidate, SagaStep, Torn
from ramet.advisor.finding import Finding, Strength
from ramet.advisor.phrases import counted, verb
from ramet.advisor.readiness.score import Advice as Verdict
from ramet.advisor.readiness.score import Readiness
from ramet.advisor.report.advice import Step

MOST_EXTRACTED = {Verdict.STAY: 0, Verdict.HYBRID: 2, Verdict.ADOPT: 4}
SHOWN = 6


def plan(
    readiness: Readiness, candidates: Sequence[Candidate], coupled: Sequence[Finding] | None = None
) -> tuple[Step, ...]:
    """What to do, in this order; extractions only as far as the advice goes, and only with evidence.

    `coupled` are the findings where there are several services already, which are mended first; None for a monolith.
    """
    steps = [_agree(candidates)] if coupled is None else list(_mended(coupled))
    if missing := [one for one in readiness.items if one.verdict.value != "yes" and one.id in PREPARED]:
        steps.append(Step(title="Prepare what services need", lines=tuple(PREPARED[one.id] for one in missing)))
    convincing = [one for one in candidates if one.strength is not Strength.WEAK]
    return (*steps, *(_extraction(one) for one in convincing[: MOST_EXTRACTED[readiness.advice]]))


PREPARED = {
    "pipeline": "A pipeline that builds, tests and deploys every change: before the first service, not after it.",
    "containers": "One image of the application, deployed everywhere in the same way.",
    "observability": "Metrics, traces and health checks of the application as it is: the measure of every later step.",
    "api-design": "One reviewed, versioned contract inside the application, as practice.",
}


def _agree(candidates: Sequence[Candidate]) -> Step:
    names = ", ".join(one.name for one in candidates[:SHOWN])
    return Step(
        title="Agree on boundaries inside the application, and enforce them",
        lines=(
            f"Begin with: {names}." if names else "No part stands out yet: begin with what the teams call their own.",
            "`ramet advise --write-rules FILE` writes what is allowed today; `--rules FILE` fails on anything new.",
        ),
    )


def _mended(findings: Sequence[Finding]) -> Iterator[Step]:
    """What couples services is taken away before anything else: first what cannot live alone is joined."""
    for title, rules in MENDED.items():
        lines = [one.message for one in findings if one.rule in rules]
        more = (f"{len(lines) - SHOWN} more are among the findings.",) if len(lines) > SHOWN else ()
        if lines:
            yield Step(title=title, lines=(*lines[:SHOWN], *more))


MENDED = {
    "Join what cannot live alone": ("merge", "nano-service", "pass-through-service", "too-many-services"),
    "Give each table one owner": ("shared-database",),
    "Cut what ties services together": (
        "distributed-monolith",
        "cyclic-services",
        "chatty-services",
        "god-service",
        "cyclic-parts",
    ),
}


def _extraction(one: Candidate) -> Step:
    return Step(title=f"Extract {one.name} ({one.strength.value} evidence)", lines=tuple(_lines(one)))


def _lines(one: Candidate) -> Iterator[str]:
    names = _some(one.contract) or "nothing by name"
    uses = counted(one.links_in, "place")
    yield f"Contract: {names} is what the rest uses of it ({uses}); everything else becomes private."
    yield "Turn those uses into calls of one interface, still inside the application; release that."
    if one.tables:
        moves = verb(len(one.tables), "moves", "move")
        yield f"Data: {_some(one.tables)} {moves} with it, into a schema of their own first, then a database."
    for shared in one.shared[:SHOWN]:
        if shared.owned:
            how = (
                "a command of the contract"
                if shared.written_across
                else "a query of the contract, or a copy kept by events"
            )
            yield f"{shared.table} is used from outside at {shared.places[0].path}:{shared.places[0].line}: {how}."
        else:
            how = "a command of its owner" if shared.written_across else "a copy kept by events"
            yield f"It uses {shared.table} of the rest at {shared.places[0].path}:{shared.places[0].line}: {how}."
    for torn in one.torn[:SHOWN]:
        yield _saga(torn)
    if len(one.torn) > SHOWN:
        yield f"{counted(len(one.torn) - SHOWN, 'more transaction')} would be torn and need a saga each."
    yield "Traffic: a gateway in front of the application sends this part's paths to the service: 1 %, 10 %, 50 %, all."
    where = _some(one.folders) or "several folders"
    yield f"Retire: {counted(len(one.modules), 'module')} ({one.lines:,} lines) below {where}, and the old tables."
    yield f"Effort: {one.effort.least:.0f} to {one.effort.most:.0f} person-days ({one.effort.basis})."


def _saga(torn: Torn) -> str:
    steps = " → ".join(_step(step, torn) for step in torn.saga[:SHOWN])
    where = f"{torn.place.path}:{torn.place.line}"
    return f"The transaction {torn.transaction} at {where} would be torn; a saga in its place: {steps}."


def _step(step: SagaStep, torn: Torn) -> str:
    elsewhere = f" at {step.place.path}:{step.place.line}" if step.place.path != torn.place.path else ""
    return f"{step.do}{elsewhere}{f' (undo: {step.undo})' if step.undo else ''}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
