"""Pure: when a query that takes long is sent a second time, to another replica."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Hedging:
    """Queries that take longer than all but a few are asked again elsewhere (Dean, Barroso, "The Tail at Scale", 2013).

    `quantile` of the queries is answered before a second one is sent; at least `shortest_seconds` pass. Of all queries
    at most `share` is sent twice, or ten in a second. Off unless `enabled`.
    """

    enabled: bool = False
    quantile: float = 0.95
    shortest_seconds: float = 0.005
    share: float = 0.05


class Quantile:
    """A running estimate of a quantile, in constant memory: up where a value is above, down where it is below.

    The step is a part of the estimate itself (stochastic approximation, Robbins and Monro, 1951).
    """

    __slots__ = ("_quantile", "value")

    def __init__(self, quantile: float) -> None:
        self._quantile = quantile
        self.value = 0.0

    def observe(self, value: float) -> None:
        """One more value."""
        if self.value == 0.0:
            self.value = value
            return
        step = self.value * 0.05
        self.value = max(1e-9, self.value + step * (self._quantile - (value <= self.value)))
