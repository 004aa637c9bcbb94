"""What the log says of sagas: what needs somebody's attention is loud, what mends itself is not."""

from __future__ import annotations

import logging
from typing import NamedTuple

from ramet.clock import Clock
from ramet.sagas.moments import Happened, Moment

LEVELS = {
    Happened.PARKED: logging.ERROR,
    Happened.FAILED: logging.WARNING,
    Happened.TURNED_BACK: logging.INFO,
    Happened.RETRIED: logging.INFO,
}
ALIKE_SECONDS = 10.0
"""So long steps that fail alike, as all do whose neighbour is away, are only counted."""

ALIKE_LIMIT = 1000
log = logging.getLogger("ramet.sagas")


class Said(NamedTuple):
    """When it was said last, and how many alike were not said since."""

    at: float
    unsaid: int


class SagaLog:
    """Listens to an engine: a step that failed, a saga that goes back, one that is parked until somebody retries it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._said: dict[tuple[str, str, str | None], Said] = {}

    def __call__(self, moment: Moment) -> None:
        """One happening."""
        level = LEVELS.get(moment.happened)
        if level is None:
            return
        further = ""
        if moment.happened is Happened.FAILED:
            unsaid = self._unsaid(moment)
            if unsaid is None:
                return
            further = f" (attempt {moment.attempts})" if moment.attempts > 1 else ""
            further += f" ({unsaid} alike before it, also of other sagas)" if unsaid else ""
        elif moment.happened is Happened.PARKED:
            further = f" (`ramet sagas retry {moment.id}` when it can go on)"
        step = f", step {moment.step}" if moment.step else ""
        why = f": {moment.error}" if moment.error else ""
        log.log(level, "%s %s%s %s%s%s", moment.saga, moment.key, step, moment.happened.value, why, further)

    def _unsaid(self, moment: Moment) -> int | None:
        """How many alike were not said before this one; None where it is not to be said either."""
        kind, now = (moment.saga, moment.step, moment.error), self._clock.monotonic()
        said = self._said.get(kind)
        if said is not None and now - said.at < ALIKE_SECONDS:
            self._said[kind] = said._replace(unsaid=said.unsaid + 1)
            return None
        if len(self._said) >= ALIKE_LIMIT:
            self._said.clear()
        self._said[kind] = Said(now, 0)
        return 0 if said is None else said.unsaid
