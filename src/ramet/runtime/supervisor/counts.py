"""Pure: what several processes have counted, as one; what those had counted that ended is kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from msgspec.structs import replace

from ramet.runtime.operators import requests as asked

N = TypeVar("N", bound=asked.CallCounts)
UNTIMED: dict[str, Any] = {"p50_ms": None, "p99_ms": None}


class Past:
    """What the processes of a deployment had counted that ended."""

    def __init__(self) -> None:
        self.counts = asked.NOTHING

    def add(self, counts: asked.Counts) -> None:
        """One more has ended."""
        self.counts = _untimed(_total([self.counts, counts]))


def whole(living: Sequence[asked.Counts], others: Sequence[asked.Counts]) -> asked.Counts:
    """What a deployment has counted; durations, and which services are there, is told by the living alone."""
    there = {service.name for one in living for service in one.services}
    found = _total([*living, *(_untimed(one) for one in others)])
    return replace(found, services=tuple(one for one in found.services if one.name in there))


def _total(counts: Sequence[asked.Counts]) -> asked.Counts:
    services = _by_name(service for one in counts for service in one.services)
    return asked.Counts(
        services=tuple(summed(reports) for reports in services),
        traffic=merged(call for one in counts for call in one.traffic),
        externals=outsides(external for one in counts for external in one.externals),
    )


def _untimed(counts: asked.Counts) -> asked.Counts:
    return asked.Counts(
        services=tuple(
            replace(one, **UNTIMED, methods=tuple(replace(method, **UNTIMED) for method in one.methods))
            for one in counts.services
        ),
        traffic=tuple(replace(one, p50_ms=None) for one in counts.traffic),
        externals=tuple(replace(one, **UNTIMED) for one in counts.externals),
    )


def summed(reports: Sequence[asked.ServiceStatus]) -> asked.ServiceStatus:
    """One service's replicas as one: counts added, percentiles the worst, and of the shared database one view."""
    methods = _by_name(method for one in reports for method in one.methods)
    return replace(
        reports[0],
        **_added(reports),
        events_handled=sum(one.events_handled for one in reports),
        methods=tuple(replace(some[0], **_added(some)) for some in methods),
    )


def outsides(reports: Iterable[asked.ExternalStatus]) -> tuple[asked.ExternalStatus, ...]:
    """What several processes tell of those that are outside: counts added, percentiles the worst."""
    return tuple(replace(some[0], **_added(some)) for some in _by_name(reports))


def _added(reports: Sequence[N]) -> dict[str, Any]:
    """What several had to do, as one."""
    return {
        "calls": sum(one.calls for one in reports),
        "refusals": sum(one.refusals for one in reports),
        "errors": sum(one.errors for one in reports),
        "p50_ms": _worst(one.p50_ms for one in reports),
        "p99_ms": _worst(one.p99_ms for one in reports),
    }


def _by_name(reports: Iterable[N]) -> list[list[N]]:
    found: dict[str, list[N]] = {}
    for one in reports:
        found.setdefault(one.name, []).append(one)
    return list(found.values())


def merged(reports: Iterable[asked.Traffic]) -> tuple[asked.Traffic, ...]:
    """The traffic of several processes as one: calls added for each caller and method, the slower median, sorted."""
    found: dict[tuple[str, str], list[asked.Traffic]] = {}
    for one in reports:
        found.setdefault((one.caller, one.method), []).append(one)
    return tuple(
        asked.Traffic(
            caller=caller,
            method=method,
            calls=sum(one.calls for one in some),
            p50_ms=_worst(one.p50_ms for one in some),
        )
        for (caller, method), some in sorted(found.items())
    )


def _worst(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
