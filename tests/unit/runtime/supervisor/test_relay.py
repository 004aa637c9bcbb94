"""The status of a service's replicas as one."""

from __future__ import annotations

from ramet.runtime.operators.requests import ServiceStatus
from ramet.runtime.supervisor.relay import summed


def report(calls: int, p99: float | None, waiting: int) -> ServiceStatus:
    return ServiceStatus(
        name="stock",
        calls=calls,
        refusals=1,
        errors=0,
        p50_ms=None,
        p99_ms=p99,
        events_waiting=waiting,
        events_retrying=0,
        events_dead=0,
        sagas={"running": 2},
        schedules=(),
    )


def test_what_each_has_done_is_added_and_what_they_share_is_told_once() -> None:
    found = summed([report(3, 2.0, 7), report(4, 9.0, 7), report(0, None, 7)])
    assert (found.calls, found.refusals, found.p50_ms, found.p99_ms) == (7, 3, None, 9.0)
    assert (found.events_waiting, found.sagas) == (7, {"running": 2})
