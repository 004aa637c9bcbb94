"""What the log says of sagas: what needs somebody's attention is loud, what mends itself is not."""

from __future__ import annotations

import logging

from ramet.clock import Clock
from ramet.sagas.moments import Happened, Moment
from ramet.telemetry.throttle import Throttle

LEVELS = {
    Happened.PARKED: logging.ERROR,
    Happened.FAILED: logging.WARNING,
    Happened.REFUSED: logging.INFO,
    Happened.TURNED_BACK: logging.INFO,
    Happened.RETRIED: logging.INFO,
}
log = logging.getLogger("ramet.sagas")


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
