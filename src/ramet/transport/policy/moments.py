"""Pure: what was decided about calls, named once for metrics, spans and logs."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import msgspec


class Decision(StrEnum):
    """What was decided, or noticed."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    NOT_REACHED = "not reached"
    RETIRED = "retired"
    RETRIED = "retried"
    BUDGET_SPENT = "retry budget spent"
    HEDGED = "hedged"
    HEDGE_WON = "hedge won"
    OPENED = "breaker opened"
    CLOSED = "breaker closed"
    EJECTED = "ejected"
    WAITED = "waited for a replica"
    FAILED = "failed"
    REFUSED = "refused"


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One decision. `group` is the process group that is called, `address` the replica, `method` the call's.

    What does not apply is empty; `reason` is a sentence for people, `attempt` counts from 1.
    """

    decision: Decision
    group: str = ""
    address: str = ""
    method: str = ""
    reason: str = ""
    attempt: int = 0


class Hook(Protocol):
    """Is told of each decision, in the loop, at once: it must neither wait nor raise."""

    def __call__(self, moment: Moment, /) -> None:
        """A decision was made."""


def unreported(_: Moment) -> None:
    """For whoever does not listen."""
