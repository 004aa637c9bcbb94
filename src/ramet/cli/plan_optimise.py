"""`ramet plan --optimise`: which services to run together, from live traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ramet.cli import output
from ramet.cli.command import Choices

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ramet.advisor.placement.values import Advice, Edge, Judged, Part, Question
    from ramet.contract.declared import Declared
    from ramet.model.topology import Deployment, Group
    from ramet.runtime.operators.requests import Status
    from ramet.runtime.planning import Placement


def optimise(choices: Choices, chosen: Deployment, declared: Declared, placement: Placement, status: Status) -> int:
    """Show today's placement, the proposal, and what to write into ramet.toml."""
    from ramet.advisor.placement.propose import advise
    from ramet.advisor.placement.toml import fragment

    asked = question(chosen, declared, placement, status)
    advice = advise(asked)
    toml = None
    if advice.proposal is not None:
        parts = {part.name: part for part in asked.parts}
        toml = fragment(chosen.name, advice.proposal, parts, _groups(chosen, placement))
    if choices.json:
        output.document({"deployment": chosen.name, "advice": advice, "toml": toml})
    else:
        _show(chosen.name, advice, toml)
    return 0


def question(chosen: Deployment, declared: Declared, placement: Placement, status: Status) -> Question:
    """What the advisor is asked: the parts of the application, their traffic, and the rules of the deployment."""
    from ramet.advisor.placement.loads import own_cores
    from ramet.advisor.placement.values import Question, Rules

    names = tuple(name for group in placement.groups for name in group.services)
    seconds = max(status.uptime_seconds or 0.0, 1.0)
    edges = tuple(_edges(declared, status, seconds, names))
    measured = tuple(group.services for group in status.groups) or (names,)
    used = status.cpu_seconds / seconds if status.cpu_seconds is not None else None
    cores = own_cores(names, edges, measured, used)
    together = (*chosen.together, *_tied(chosen, declared, placement))
    return Question(
        parts=tuple(_parts(chosen, declared, placement, cores)),
        edges=edges,
        rules=Rules(together=together, apart=chosen.apart),
        today=tuple(group.services for group in placement.groups if group.services),
        measured=measured,
        seconds=seconds,
        is_cores_measured=used is not None,
    )


def _edges(declared: Declared, status: Status, seconds: float, names: tuple[str, ...]) -> Iterator[Edge]:
    """Calls of what the deployment hosts; externals are elsewhere in every placement."""
    from ramet.advisor.placement.values import Edge

    services = {service.contract.name: service.name for service in declared.services}
    for one in status.traffic:
        contract = one.method.rpartition(".")[0]
        callee = services.get(contract, contract)
        if callee in names:
            yield Edge(
                caller=one.caller,
                callee=callee,
                method=one.method,
                calls=one.calls,
                per_second=one.calls / seconds,
                milliseconds=one.p50_ms,
            )


def _parts(chosen: Deployment, declared: Declared, placement: Placement, cores: Mapping[str, float]) -> Iterator[Part]:
    from ramet.advisor.placement.values import Part

    services = {service.name: service for service in declared.services}
    for group in placement.groups:
        for name in group.services:
            service = services.get(name)
            embedded = chosen.storage == "sqlite" or (chosen.broker == "memory" and service and service.handlers)
            yield Part(
                name=name,
                cores=cores[name],
                replicas=group.replicas,
                may_replicate=service is None or not embedded,
                isolated=group.isolated,
            )


def _tied(chosen: Deployment, declared: Declared, placement: Placement) -> Iterator[tuple[str, ...]]:
    """What one process must have: events that the memory broker carries, and parts of one public address."""
    if chosen.broker == "memory":
        by_contract = {service.contract.name: service.name for service in declared.services}
        for service in declared.services:
            for handler in service.handlers:
                owner = by_contract.get(declared.topic_of(handler.mark.event).rpartition(".")[0])
                if owner is not None and owner != service.name:
                    yield (owner, service.name)
    for group in placement.groups:
        if len(group.public) > 1:
            yield group.public


def _groups(chosen: Deployment, placement: Placement) -> dict[str, Group]:
    """Today's groups by what they host."""
    groups = {group.name: group for group in chosen.groups}
    return {name: groups[one.name] for one in placement.groups for name in one.services if one.name in groups}


# -- shown -------------------------------------------------------------------------------------------------------


def _show(deployment: str, advice: Advice, toml: str | None) -> None:
    counted = f"{advice.calls:,} calls in {advice.seconds:,.0f} s"
    output.say(f"{output.paint(deployment, 'bold')} · {counted}")
    _placement("today", advice.today)
    if advice.proposal is not None:
        _placement("proposed", advice.proposal)
        before = {one.name: one.predicted for one in advice.today.operations}
        rows = [
            (one.name, one.per_second, one.measured, before[one.name], one.predicted)
            for one in advice.proposal.operations
        ]
        output.table(("request", "a second", "measured ms", "today ms", "proposed ms"), rows)
    for sentence in advice.reasons:
        output.say(sentence)
    output.say("How sure this is:")
    for sentence in advice.doubts:
        output.say(f"  {sentence}")
    if toml is not None:
        output.say(f"For ramet.toml, in the place of the process tables of {deployment}:\n")
        output.say(toml.rstrip())


def _placement(title: str, judged: Judged) -> None:
    rows = [(", ".join(one.services), one.replicas, one.cores) for one in judged.processes]
    output.table((title, "processes", "cores"), rows)
    output.say(
        f"  {judged.cores:.3f} cores, of them {judged.remote_cores:.4f} for {judged.remote_per_second:,.1f} "
        "calls a second between processes"
    )
