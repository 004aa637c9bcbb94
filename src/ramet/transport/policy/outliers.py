"""Pure: which replicas are left alone for a while, because they fail more than the others."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Ejection:
    """A replica is ejected after `failures` in a row, for `seconds` times the ejections it has had (as in Envoy).

    Never more than `share` of the replicas are ejected at a time: what fails everywhere is not the replicas' fault.
    """

    failures: int = 5
    seconds: float = 2.0
    longest_seconds: float = 60.0
    share: float = 0.5


class Standing:
    """How one replica has done lately."""

    __slots__ = ("_policy", "ejected_until", "ejections", "failures")

    def __init__(self, policy: Ejection) -> None:
        self._policy = policy
        self.failures = 0
        self.ejections = 0
        self.ejected_until = 0.0

    def succeeded(self) -> None:
        """It has answered."""
        self.failures = 0
        self.ejections = max(0, self.ejections - 1)

    def failed(self, now: float, *, ejected: int, replicas: int) -> bool:
        """It has failed, while so many of so many replicas are ejected. True when that ejects it."""
        self.failures += 1
        if self.failures < self._policy.failures or self.is_ejected(now):
            return False
        if ejected + 1 > replicas * self._policy.share:
            return False
        self.failures = 0
        self.ejections += 1
        self.ejected_until = now + min(self._policy.longest_seconds, self._policy.seconds * self.ejections)
        return True

    def is_ejected(self, now: float) -> bool:
        """Whether it is to be left alone."""
        return now < self.ejected_until
