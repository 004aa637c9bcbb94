"""Counters: what is said of durations, and what several make together."""

from __future__ import annotations

import pytest

from ramet.telemetry.counters import Counters, MethodCounters, added


@pytest.mark.parametrize("seconds", [3e-6, 17e-6, 65e-6, 300e-6, 1.01e-3, 1.9e-3, 0.0333, 1.2, 59.0])
def test_a_percentile_is_good_to_a_tenth_of_the_duration(seconds: float) -> None:
    counter = MethodCounters()
    counter.took(seconds)

    found = counter.percentile(0.5)

    assert found is not None
    assert abs(found - seconds) <= seconds / 10 + 0.1e-6


def test_the_median_and_the_slowest_hundredth_are_told_apart() -> None:
    counter = MethodCounters()
    for _ in range(98):
        counter.took(0.001)
    for _ in range(2):
        counter.took(0.0014)

    assert counter.percentile(0.5) == pytest.approx(0.001, rel=0.1)
    assert counter.percentile(0.99) == pytest.approx(0.0014, rel=0.1)


@pytest.mark.parametrize("seconds", [0.0, 3e-9, 1e9])
def test_no_duration_is_too_short_or_too_long_to_be_counted(seconds: float) -> None:
    counter = MethodCounters()
    counter.took(seconds)

    assert added([counter, counter]).buckets.count(2) == 1
    assert counter.percentile(1.0) is not None


def test_without_samples_nothing_is_said() -> None:
    assert MethodCounters().percentile(0.5) is None


def test_a_copy_without_durations_has_the_same_counts() -> None:
    counters = Counters()
    for one in (counters.method("Stock.take"), counters.call("shop", "Stock.take")):
        one.calls, one.errors = 3, 1
        one.took(0.5)

    ((name, found),) = counters.untimed()

    assert (name, found.calls, found.errors, found.percentile(0.5)) == ("Stock.take", 6, 2, None)
    assert counters.total == counters.untimed().total == 8
