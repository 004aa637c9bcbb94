"""Which replica a call goes to, among those that can be reached and are not to be left alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from ramet.transport.policy.balance import Shares
from ramet.transport.upstream.replica import Replica

NOBODY: frozenset[Replica] = frozenset()


class Choice:
    """The replicas of a group, near and far."""

    def __init__(self, replicas: Iterable[Replica], *, zone: str, distance: float, chance: Callable[[], float]) -> None:
        self.replicas = tuple(replicas)
        near = tuple(one for one in self.replicas if one.endpoint.zone == zone) if zone else ()
        self._near = Pool(near or self.replicas, chance)
        far = tuple(one for one in self.replicas if one not in near) if near else ()
        self._far = Pool(far, chance) if far else None
        self._distance = distance
        self.only = self.replicas[0] if len(self.replicas) == 1 else None
        """Where there is one, there is no choice, however it has done lately and however long it takes."""

    def pick(self, method: str, now: float, tried: Collection[Replica] = NOBODY) -> Replica | None:
        """The one for this call; None where there is none."""
        near = self._near.pick(method, now, tried)
        if self._far is None:
            return near
        far = self._far.pick(method, now, tried)
        if near is None or far is None:
            return near or far
        return far if far.cost(now) * self._distance < near.cost(now) else near


class Pool:
    """Replicas of which the better of two by chance is chosen; those of different weights by their weights alone."""

    def __init__(self, replicas: tuple[Replica, ...], chance: Callable[[], float]) -> None:
        self.replicas = replicas
        self._shares = Shares([one.weight for one in replicas])
        self._chance = chance

    def pick(self, method: str, now: float, tried: Collection[Replica]) -> Replica | None:
        """As `Choice.pick`."""
        replicas = self.replicas
        if len(replicas) > 1:
            first, second = self._shares.draw_two(self._chance())
            one, other = replicas[first], replicas[second]
            if one.fits(method, now) and one not in tried:
                if not self._shares.is_even or not other.fits(method, now) or other in tried:
                    return one
                return one if one.cost(now) <= other.cost(now) else other
            if other.fits(method, now) and other not in tried:
                return other
        return self._any(method, now, tried)

    def _any(self, method: str, now: float, tried: Collection[Replica]) -> Replica | None:
        """Whoever fits; where everybody else is away, one that was ejected is better than nobody."""
        fitting = [one for one in self.replicas if one.fits(method, now) and one not in tried]
        if not fitting:
            fitting = [
                one for one in self.replicas if one not in tried and one.is_usable and one.breaker_allows(method, now)
            ]
        return min(fitting, key=lambda one: one.cost(now), default=None)
