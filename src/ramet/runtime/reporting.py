"""What the log says of sagas: what needs somebody's attention is loud, what mends itself is not."""

from __future__ import annotations

import logging

from ramet.sagas.moments import Happened, Moment

LEVELS = {
    Happened.PARKED: logging.ERROR,
    Happened.FAILED: logging.WARNING,
    Happened.TURNED_BACK: logging.INFO,
    Happened.RETRIED: logging.INFO,
}
log = logging.getLogger("ramet.sagas")


def log_saga(moment: Moment) -> None:
    """Listens to an engine: a step that failed, a saga that goes back, one that is parked until somebody retries it."""
    level = LEVELS.get(moment.happened)
    if level is None:
        return
    step = f", step {moment.step}" if moment.step else ""
    why = f": {moment.error}" if moment.error else ""
    remedy = f" (`ramet sagas retry {moment.id}` when it can go on)" if moment.happened is Happened.PARKED else ""
    log.log(level, "%s %s%s %s%s%s", moment.saga, moment.key, step, moment.happened.value, why, remedy)
