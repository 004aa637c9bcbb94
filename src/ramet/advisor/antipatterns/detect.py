"""Pure: every detector, run over the facts of a code base."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ramet.advisor.antipatterns import dependence, organisation, shape
from ramet.advisor.antipatterns.evidence import Evidence
from ramet.advisor.facts import Facts
from ramet.advisor.finding import Finding

DETECTORS: tuple[Callable[[Evidence], Iterator[Finding]], ...] = (
    organisation.too_many,
    organisation.no_operations,
    organisation.technology_zoo,
    dependence.distributed_monolith,
    dependence.chatty,
    dependence.shared_database,
    dependence.cyclic,
    dependence.better_joined,
    shape.pass_through,
    shape.god,
    shape.nano,
)


def antipatterns(facts: Facts, *, developers: int | None = None) -> list[Finding]:
    """Every finding of every detector; `developers` is the size of the team, where it is known."""
    evidence = Evidence(facts, developers)
    return [finding for detector in DETECTORS for finding in detector(evidence)]
