"""What several replicas have counted, as one."""

from __future__ import annotations

from ramet.runtime.operators.requests import CallCounts, Counts, ExternalStatus, ServiceStatus, Traffic
from ramet.runtime.supervisor.counts import Past, merged, outsides, summed, whole


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
        events_handled=calls,
        schedules=(),
        methods=(CallCounts(name="level", calls=calls, refusals=1, errors=0, p50_ms=None, p99_ms=p99),),
    )


def test_what_each_has_done_is_added_and_what_they_share_is_told_once() -> None:
    found = summed([report(3, 2.0, 7), report(4, 9.0, 7), report(0, None, 7)])
    assert (found.calls, found.refusals, found.p50_ms, found.p99_ms) == (7, 3, None, 9.0)
    assert (found.events_handled, found.events_waiting, found.sagas) == (7, 7, {"running": 2})
    assert found.methods == (CallCounts(name="level", calls=7, refusals=3, errors=0, p50_ms=None, p99_ms=9.0),)


def test_what_is_outside_is_added_up_by_name() -> None:
    def outside(name: str, calls: int, p50: float | None) -> ExternalStatus:
        return ExternalStatus(
            name=name, url=f"http://{name}", calls=calls, refusals=0, errors=1, p50_ms=p50, p99_ms=None
        )

    found = outsides([outside("maps", 3, 0.5), outside("weather", 1, None), outside("maps", 4, 2.0)])
    assert [(one.name, one.url, one.calls, one.errors, one.p50_ms) for one in found] == [
        ("maps", "http://maps", 7, 2, 2.0),
        ("weather", "http://weather", 1, 1, None),
    ]


def test_traffic_is_added_for_each_caller_and_method() -> None:
    def calls(caller: str, count: int, p50: float | None) -> Traffic:
        return Traffic(caller=caller, method="Stock.take", calls=count, p50_ms=p50)

    found = merged([calls("shop", 3, 0.5), calls("shop", 4, 2.0), calls("", 1, None)])
    assert found == (calls("", 1, None), calls("shop", 7, 2.0))


def test_what_the_ended_had_counted_is_added_without_their_durations() -> None:
    past = Past()
    for calls in (3, 4):
        past.add(
            Counts(services=(report(calls, 9.0, 7),), traffic=(Traffic(caller="", method="m", calls=1, p50_ms=9.0),))
        )

    found = whole([Counts(services=(report(1, 2.0, 5),))], [past.counts])

    (service,), (call,) = found.services, found.traffic
    assert (service.calls, service.methods[0].calls, service.p99_ms, service.methods[0].p99_ms) == (8, 8, 2.0, 2.0)
    assert (service.events_waiting, call.calls, call.p50_ms) == (5, 2, None)


def test_a_service_of_which_nobody_lives_is_not_told() -> None:
    assert whole([], [Counts(services=(report(1, None, 0),))]).services == ()
