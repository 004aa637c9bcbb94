"""Pure: how long a replica may hang, when it is started again after a failure, and when no more."""

from __future__ import annotations

from signal import Signals

from ramet.model.application import Value

BAD_INPUT = 2
"""The exit code of a replica that found its configuration wrong: trying again cannot help."""
AWAY = 75
"""Of one that needs somebody who is not there now, such as a database: it is tried again for ever (EX_TEMPFAIL)."""
REFUSED = 78
"""Of one that was refused, as by a password that is wrong: trying again seldom helps (EX_CONFIG).

Where it has served before, it was refused by what has changed meanwhile, and it counts as `AWAY`."""


class Patience(Value):
    """How patient the supervisor is; everything in seconds.

    A replica that ends by itself is started again after `first_pause`, which doubles up to `longest_pause`; after
    `attempts` ends in a row, none of them after `stable` of service, it is given up; where it was refused, after
    `refusals` of them. That somebody it needs is away does not count. One that is silent for `silent` is sent nothing
    more, and after `frozen` it is killed. `start` is how long a start may be silent, `place` for how long it keeps
    others from starting, `forking` the time of a zygote. `drain` is the time for finishing what is in flight, `unready`
    for ending where nothing is yet. `look` is how often the supervisor looks.
    """

    first_pause: float = 0.2
    longest_pause: float = 5.0
    attempts: int = 8
    refusals: int = 4
    stable: float = 10.0
    silent: float = 2.0
    frozen: float = 8.0
    start: float = 60.0
    place: float = 5.0
    forking: float = 1.0
    drain: float = 25.0
    unready: float = 5.0
    look: float = 0.25

    def pause(self, failures: int, code: int | None, *, away: int = 0) -> float | None:
        """Before the next start, after so many failures in a row, `away` of which do not count; None: there is none."""
        most = self.refusals if code == REFUSED else self.attempts
        if code != AWAY and (failures - away >= most or code == BAD_INPUT):
            return None
        return min(self.first_pause * 2.0 ** min(failures - 1, 32), self.longest_pause)


def ending(code: int | None) -> str:
    """An exit code as people read it."""
    if code is None:
        return "could not be started"
    if code < 0:
        known = -code in set(Signals)
        return f"was ended by {Signals(-code).name if known else f'signal {-code}'}"
    return f"ended with code {code}"
