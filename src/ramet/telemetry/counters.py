"""Counts of what happened, cheap enough for the hot path."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import log2
from operator import add

FOR_EACH_DOUBLING = 4
BUCKETS = 32 * FOR_EACH_DOUBLING


class MethodCounters:
    """Of one method: calls, and how they ended other than well.

    Durations are sampled; each, in µs and one more, falls into one of the `buckets`, which begin at 1, and of which
    four make a doubling: its middle is at most a tenth away from all that fall into it.
    """

    __slots__ = ("buckets", "calls", "errors", "refusals")

    def __init__(self) -> None:
        self.calls = 0
        self.refusals = 0
        self.errors = 0
        self.buckets = [0] * BUCKETS

    def took(self, duration_seconds: float) -> None:
        """Count a duration."""
        try:
            self.buckets[int(log2(duration_seconds * 1_000_000 + 1) * FOR_EACH_DOUBLING)] += 1
        except IndexError:  # more than an hour
            self.buckets[-1] += 1

    def percentile(self, share: float) -> float | None:
        """About the seconds below which this share (0 to 1) of the sampled calls stayed; None without samples."""
        total = sum(self.buckets)
        seen = 0
        for bucket, count in enumerate(self.buckets if total else ()):
            seen += count
            if seen >= share * total:
                return float(2 ** ((bucket + 0.5) / FOR_EACH_DOUBLING) - 1) / 1_000_000
        return None


class Counters:
    """All counters of one application, by method name `contract.method`; calls are kept apart by who makes them."""

    def __init__(self) -> None:
        self._methods: dict[str, MethodCounters] = {}
        self._calls: dict[tuple[str, str], MethodCounters] = {}

    def method(self, name: str) -> MethodCounters:
        """The counters of one method; made on first use."""
        return self._methods.setdefault(name, MethodCounters())

    def call(self, caller: str, name: str) -> MethodCounters:
        """The counters of one method's calls by one caller, "" for who is no service; made on first use."""
        return self._calls.setdefault((caller, name), MethodCounters())

    @property
    def calls(self) -> Mapping[tuple[str, str], MethodCounters]:
        """The calls made in this process, by caller and method."""
        return self._calls

    @property
    def total(self) -> int:
        """How much was counted: the same number for as long as nothing happens."""
        some = (*self._methods.values(), *self._calls.values())
        return sum(one.calls + one.refusals + one.errors for one in some)

    def untimed(self) -> Counters:
        """A copy without durations, which costs little."""
        copy = Counters()
        copy._methods = {name: _untimed(one) for name, one in self._methods.items()}
        copy._calls = {name: _untimed(one) for name, one in self._calls.items()}
        return copy

    def __iter__(self) -> Iterator[tuple[str, MethodCounters]]:
        """Each method with everything that was counted of it."""
        totals = {name: added([counter]) for name, counter in self._methods.items()}
        for (_, name), counter in self._calls.items():
            totals[name] = added([totals[name], counter]) if name in totals else added([counter])
        return iter(sorted(totals.items()))


def _untimed(counter: MethodCounters) -> MethodCounters:
    copy = MethodCounters()
    copy.calls, copy.refusals, copy.errors, copy.buckets = counter.calls, counter.refusals, counter.errors, []
    return copy


def added(counters: Iterable[MethodCounters]) -> MethodCounters:
    """The sum of several counters, as a counter of its own."""
    total = MethodCounters()
    for counter in counters:
        total.calls += counter.calls
        total.refusals += counter.refusals
        total.errors += counter.errors
        if counter.buckets:
            total.buckets = list(map(add, total.buckets, counter.buckets))
    return total
