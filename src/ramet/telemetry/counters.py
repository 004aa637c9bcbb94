"""Counts of what happened, cheap enough for the hot path."""

from __future__ import annotations

from collections.abc import Iterator


class MethodCounters:
    """Of one method: calls, and how they ended other than well.

    Durations are sampled; each falls into one of the `buckets`, of which bucket n counts those below 2ⁿ µs.
    """

    __slots__ = ("buckets", "calls", "errors", "refusals")

    def __init__(self) -> None:
        self.calls = 0
        self.refusals = 0
        self.errors = 0
        self.buckets = [0] * 40

    def took(self, duration_seconds: float) -> None:
        """Count a duration."""
        self.buckets[min(39, int(duration_seconds * 1_000_000).bit_length())] += 1

    def percentile(self, share: float) -> float | None:
        """The duration in seconds below which this share (0 to 1) of the sampled calls stayed; None without samples."""
        total = sum(self.buckets)
        seen = 0
        for power, count in enumerate(self.buckets):
            seen += count
            if total and seen >= share * total:
                return float(2**power) / 1_000_000
        return None


class Counters:
    """All counters of one application, by method name `contract.method`."""

    def __init__(self) -> None:
        self._methods: dict[str, MethodCounters] = {}

    def method(self, name: str) -> MethodCounters:
        """The counters of one method; made on first use."""
        return self._methods.setdefault(name, MethodCounters())

    def __iter__(self) -> Iterator[tuple[str, MethodCounters]]:
        return iter(sorted(self._methods.items()))
