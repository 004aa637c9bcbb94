"""Pure: everything that is decided about the calls to one process group, together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ramet.transport.policy.balance import Balance
from ramet.transport.policy.breaker import Breaking
from ramet.transport.policy.hedging import Hedging
from ramet.transport.policy.outliers import Ejection
from ramet.transport.policy.retries import Retries


@dataclass(frozen=True, kw_only=True, slots=True)
class Reaching:
    """How replicas are reached, and how long a call waits where there is none.

    A replica that cannot be reached is dialled again after `backoff_seconds`, twice as long each time up to
    `longest_seconds`, with jitter. A call waits until `patience_seconds` after the last replica was lost, as far as its
    deadline allows, and at most `waiting_limit` calls do; later ones fail at once, until a replica is there.
    """

    backoff_seconds: float = 0.01
    longest_seconds: float = 1.0
    patience_seconds: float = 3.0
    waiting_limit: int = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Policies:
    """What an upstream goes by; `zone` is where this process is, "" where that does not matter.

    `methods` are the policies of single methods, by "<contract>.<method>", where those differ in retries, breaking or
    hedging. What all calls share, such as the budgets, is that of the whole.
    """

    zone: str = ""
    retries: Retries = field(default_factory=Retries)
    breaking: Breaking = field(default_factory=Breaking)
    ejection: Ejection = field(default_factory=Ejection)
    balance: Balance = field(default_factory=Balance)
    hedging: Hedging = field(default_factory=Hedging)
    reaching: Reaching = field(default_factory=Reaching)
    methods: Mapping[str, Policies] = field(default_factory=dict)

    def of(self, method: str) -> Policies:
        """Those of a method."""
        return self.methods.get(method, self)

    @property
    def hedges(self) -> bool:
        """Whether any query is hedged."""
        return any(one.hedging.enabled for one in (self, *self.methods.values()))
