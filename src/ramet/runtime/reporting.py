"""What the log says of sagas and of calls: what needs somebody's attention is loud, what mends itself is not."""

from __future__ import annotations

import logging

from ramet.clock import Clock
from ramet.sagas.moments import Happened, Moment
from ramet.telemetry.throttle import Throttle
from ramet.transport.policy.moments import Decision
from ramet.transport.policy.moments import Moment as CallMoment

LEVELS = {
    Happened.PARKED: logging.ERROR,
    Happened.FAILED: logging.WARNING,
    Happened.REFUSED: logging.INFO,
    Happened.TURNED_BACK: logging.INFO,
    Happened.RETRIED: logging.INFO,
}
LOUD = frozenset({Decision.OPENED, Decision.EJECTED, Decision.BUDGET_SPENT})
"""Decisions about calls by which callers get errors, or a replica no work."""
log = logging.getLogger("ramet.sagas")
log_of_calls = logging.getLogger("ramet.calls")


class SagaLog:
    """Listens to an engine: a step failed or was refused, a saga goes back, or is parked until somebody retries it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._throttle = Throttle()

    def __call__(self, moment: Moment) -> None:
        """One happening."""
        level = LEVELS.get(moment.happened)
        if level is None:
            return
        further = ""
        if moment.happened is Happened.FAILED:
            unsaid = self._throttle.left_out(self._clock.monotonic(), (moment.saga, moment.step, moment.error))
            if unsaid is None:
                return
            further = f" (attempt {moment.attempts})" if moment.attempts > 1 else ""
            further += f" ({unsaid} alike before it, also of other sagas)" if unsaid else ""
        elif moment.happened is Happened.PARKED:
            further = f" (`ramet sagas retry {moment.id}` when it can go on)"
        step = f", step {moment.step}" if moment.step else ""
        why = f": {moment.error}" if moment.error else ""
        log.log(level, "%s %s%s %s%s%s", moment.saga, moment.key, step, moment.happened.value, why, further)


class CallLog:
    """Listens to the upstreams: a breaker has opened, a replica is left alone, calls are not tried again any more.

    Every decision is a record of the logger `ramet.calls`, which has it as its `moment`; those that mend themselves are
    of the level DEBUG. What is alike is loud once in some seconds.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._throttle = Throttle()

    def __call__(self, moment: CallMoment) -> None:
        """One decision."""
        unsaid = None
        if moment.decision in LOUD:
            kind = moment.decision, moment.address, moment.method
            unsaid = self._throttle.left_out(self._clock.monotonic(), kind)
        level = logging.DEBUG if unsaid is None else logging.WARNING
        if not log_of_calls.isEnabledFor(level):
            return
        parts = (moment.group, moment.method, f"at {moment.address}" if moment.address else "")
        where = " ".join(part for part in parts if part)
        why = f": {moment.reason.rstrip('.')}" if moment.reason else ""
        further = f" ({unsaid} alike before it)" if unsaid else ""
        log_of_calls.log(level, "%s: %s%s%s", where, moment.decision.value, why, further, extra={"moment": moment})
