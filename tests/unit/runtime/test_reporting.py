"""The log of sagas: steps that fail alike are said once in a while, with their number."""

from __future__ import annotations

import logging

import pytest

from ramet.clock import VirtualClock
from ramet.runtime.reporting import CallLog, SagaLog
from ramet.sagas.moments import Happened, Moment
from ramet.sagas.progress import Status
from ramet.transport.policy.moments import Decision
from ramet.transport.policy.moments import Moment as CallMoment

AWAY = "Unavailable: stock.reserve was not sent: no replica of goods is known."


def failed(
    key: str, *, step: str = "reserve", error: str = AWAY, attempts: int = 1, happened: Happened = Happened.FAILED
) -> Moment:
    return Moment(
        service="orders",
        saga="Checkout",
        id=key,
        key=key,
        happened=happened,
        status=Status.RUNNING,
        trace="t",
        step=step,
        attempts=attempts,
        error=error,
    )


async def test_steps_that_fail_alike_are_counted_and_said_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    clock = VirtualClock()
    said = SagaLog(clock)
    with caplog.at_level(logging.INFO, "ramet.sagas"):
        for key in ("1", "2", "3"):
            said(failed(key))
        said(failed("1", step="charge"))
        said(failed("1", error="RuntimeError: broken"))
        await clock.advance(10)
        said(failed("4", attempts=3))
    assert caplog.messages == [
        f"Checkout 1, step reserve failed: {AWAY}",
        f"Checkout 1, step charge failed: {AWAY}",
        "Checkout 1, step reserve failed: RuntimeError: broken",
        f"Checkout 4, step reserve failed: {AWAY} (attempt 3) (2 alike before it, also of other sagas)",
    ]


def test_a_refusal_is_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "ramet.sagas"):
        SagaLog(VirtualClock())(failed("1", error="o was declined.", happened=Happened.REFUSED))
    assert [(one.levelname, one.message) for one in caplog.records] == [
        ("INFO", "Checkout 1, step reserve refused: o was declined.")
    ]


def test_who_has_to_retry_a_saga_is_always_told_how(caplog: pytest.LogCaptureFixture) -> None:
    said = SagaLog(VirtualClock())
    for _ in range(2):
        parked = Moment(
            service="orders",
            saga="Checkout",
            id="id",
            key="1",
            happened=Happened.PARKED,
            status=Status.PARKED,
            trace="t",
        )
        said(parked)
    assert caplog.messages == ["Checkout 1 parked (`ramet sagas retry id` when it can go on)"] * 2


def decided(decision: Decision, reason: str = "") -> CallMoment:
    return CallMoment(decision=decision, group="money", address="unix:/one", method="pay.charge", reason=reason)


async def test_what_keeps_calls_from_a_replica_is_said_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    clock = VirtualClock()
    said = CallLog(clock)
    with caplog.at_level(logging.INFO, "ramet.calls"):
        for _ in range(3):
            said(decided(Decision.OPENED, "money is gone."))
        said(decided(Decision.RETRIED, "money is gone."))
        said(decided(Decision.EJECTED))
        await clock.advance(10)
        said(decided(Decision.OPENED, "money is gone."))
    assert caplog.messages == [
        "money pay.charge at unix:/one: breaker opened: money is gone",
        "money pay.charge at unix:/one: ejected",
        "money pay.charge at unix:/one: breaker opened: money is gone (2 alike before it)",
    ]


def test_whoever_listens_hears_every_decision(caplog: pytest.LogCaptureFixture) -> None:
    said, moments = CallLog(VirtualClock()), [decided(one) for one in Decision for _ in range(2)]
    with caplog.at_level(logging.DEBUG, "ramet.calls"):
        for moment in moments:
            said(moment)
    assert [vars(record)["moment"] for record in caplog.records] == moments
