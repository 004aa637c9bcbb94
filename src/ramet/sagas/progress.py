"""Pure: the values a saga's life is told in: its log, its troubles, and where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec


class Status(StrEnum):
    """Where a saga stands; two are only shown to people.

    `WAITING`: a wait is not over. `STRANDED`: nobody has it, and the release that runs cannot go on with it.
    """

    RUNNING = "running"
    WAITING = "waiting"
    COMPENSATING = "compensating"
    PARKED = "parked"
    STRANDED = "stranded"
    COMPLETED = "completed"
    COMPENSATED = "compensated"


ENDED = frozenset({Status.COMPLETED, Status.COMPENSATED})


class Key(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A command that was called, by its full name, and the key it was called with."""

    method: str
    key: str


class Failure(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How an attempt failed: `keys` are the commands that may have been executed, `touched` whether anything may have.

    `renew` is the key of the command whose answer was a refusal: it is called with another key next time. `excused`: it
    uses up no attempt, since a neighbour was away.
    """

    error: str
    refused: bool = False
    excused: bool = False
    touched: bool = True
    keys: tuple[Key, ...] = ()
    renew: str | None = None


class Trouble(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The failures of a step that is not over, added up; `retry_at` in seconds since the epoch.

    With `doubt`, a crash may have hidden further attempts; of those that are counted, `excused` used up none.
    """

    attempts: int = 0
    excused: int = 0
    error: str = ""
    touched: bool = False
    keys: tuple[Key, ...] = ()
    doubt: bool = False
    renew: tuple[str, ...] = ()
    retry_at: float = 0.0


class Undoing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A step to undo: first `keys` are withdrawn; with `doubt`, a crash has hidden which commands it called."""

    step: str
    keys: tuple[Key, ...] = ()
    doubt: bool = False


class TurnedBack(msgspec.Struct, frozen=True, kw_only=True):
    """Why a saga turned back, and what it undoes, in order."""

    reason: str
    plan: tuple[Undoing, ...]


class Kind(StrEnum):
    """What an entry of the log says."""

    DID = "did"
    TURNED_BACK = "turned back"
    UNDID = "undid"
    PARKED = "parked"
    RETRIED = "retried"
    TAKEN_OVER = "taken over"


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One line of a saga's log.

    `data` is a state after DID and UNDID, a TurnedBack, the reason of PARKED, or the worker that has TAKEN_OVER.
    """

    kind: Kind
    step: str
    at: float
    data: Any = None


class Progress(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A saga between two happenings.

    `base` is the state with which the stage began, at `since` (once it has ended: when it ended); `executed` are the
    steps done, in the order in which they ended; `active` those under way; `plan` what is still to be undone, next
    first; `reason` why it stops, turned back or is parked; `doubtful` whether a crash may have hidden attempts of this
    stage; `n` the length of the log.
    """

    state: Any
    base: Any
    since: float
    status: Status = Status.RUNNING
    stage: int = 0
    executed: tuple[str, ...] = ()
    active: frozenset[str] = frozenset()
    trouble: Mapping[str, Trouble] = {}
    doubtful: bool = False
    reason: str | None = None
    plan: tuple[Undoing, ...] = ()
    n: int = 0


Outcome = tuple[Progress, tuple[Entry, ...]]


class Todo(msgspec.Struct, frozen=True, gc=False):
    """What may be begun now: `run` these steps; or look for the `event` a wait needs; and look again at `until`.

    With `overdue` the event is given up if it is not there.
    """

    run: tuple[str, ...] = ()
    event: str | None = None
    until: float | None = None
    overdue: bool = False


def stands_otherwise(stands: Status, before: Progress, after: Progress) -> bool:
    """Whether a saga's row has to change: steps that just go well do not touch it."""
    return (
        after.status is not stands
        or after.reason != before.reason
        or (after.trouble is not before.trouble and bool(after.trouble))
    )
