"""The status of a service's replicas as one."""

from __future__ import annotations

from ramet.runtime.operators.requests import ServiceStatus, Traffic
from ramet.runtime.supervisor.asking import merged, summed


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


def test_traffic_is_added_for_each_caller_and_method() -> None:
    def calls(caller: str, count: int, p50: float | None) -> Traffic:
        return Traffic(caller=caller, method="Stock.take", calls=count, p50_ms=p50)

    found = merged([calls("shop", 3, 0.5), calls("shop", 4, 2.0), calls("", 1, None)])
    assert found == (calls("", 1, None), calls("shop", 7, 2.0))
