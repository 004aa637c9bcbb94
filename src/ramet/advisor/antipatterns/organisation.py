"""Pure: services against the team and its operations: too many, unobserved, of too many kinds."""

from __future__ import annotations

from collections.abc import Iterator

from ramet.advisor.antipatterns.evidence import Evidence, some
from ramet.advisor.facts import Place
from ramet.advisor.finding import Finding, Severity, Strength
from ramet.advisor.phrases import counted, listed

DEVELOPERS_PER_SERVICE = 1.5
ZOO = 3
OPERATIONS = {
    "ci": "a pipeline",
    "health-check": "health checks",
    "metrics": "metrics",
    "tracing": "tracing or error tracking",
}


def too_many(evidence: Evidence) -> Iterator[Finding]:
    """More services than the team can look after."""
    count, developers = len(evidence.units.all), evidence.developers
    if count < 5 or not developers:
        return
    ratio = developers / count
    if ratio < DEVELOPERS_PER_SERVICE:
        yield Finding(
            rule="too-many-services",
            subject=("*",),
            measure=ratio,
            threshold=DEVELOPERS_PER_SERVICE,
            message=f"{count} services for {counted(developers, 'developer')}: {1 / ratio:.1f} for each of them.",
            severity=Severity.ERROR if ratio < DEVELOPERS_PER_SERVICE / 2 else Severity.WARNING,
        )


def no_operations(evidence: Evidence) -> Iterator[Finding]:
    """No way to see how it is, or to deliver it."""
    names = {one.name for one in evidence.facts.signals}
    if "error-tracking" in names:
        names.add("tracing")
    missing = [what for name, what in OPERATIONS.items() if name not in names]
    if len(missing) >= 2:
        yield Finding(
            rule="no-operations",
            subject=("*",),
            measure=float(len(missing)),
            threshold=1.0,
            message=f"Nothing was found of: {', '.join(missing)}.",
            severity=Severity.WARNING if evidence.units.several else Severity.NOTE,
            strength=Strength.WEAK if len(missing) < 3 else Strength.MODERATE,
        )


def technology_zoo(evidence: Evidence) -> Iterator[Finding]:
    """More technologies of one kind than anybody can know."""
    kinds: dict[str, dict[str, list[Place]]] = {}
    for signal in evidence.facts.signals:
        if signal.name in ("language", "web-framework", "orm", "broker", "database") and signal.detail:
            one = "javascript" if signal.detail == "typescript" else signal.detail.lower()
            kinds.setdefault(signal.name, {}).setdefault(one, []).append(signal.place)
    for kind, found in sorted(kinds.items()):
        if len(found) > ZOO:
            yield Finding(
                rule="technology-zoo",
                subject=(kind,),
                measure=float(len(found)),
                threshold=float(ZOO),
                message=f"{len(found)} kinds of {kind.replace('-', ' ')}: {listed(sorted(found), most=20)}.",
                places=some([places[0] for _, places in sorted(found.items())]),
            )
