"""Pure: what happens to sagas, named once for metrics, spans and logs."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import msgspec

from ramet.sagas.progress import Status


class Happened(StrEnum):
    """What has happened to a saga, or to one of its steps."""

    STARTED = "started"
    DID = "did"
    UNDID = "undid"
    FAILED = "failed"
    REFUSED = "refused"
    TURNED_BACK = "turned back"
    PARKED = "parked"
    RETRIED = "retried"
    ENDED = "ended"


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One happening, after it was decided and before it is durable; `step` is empty where it concerns the whole saga.

    `error` says what went wrong, `attempts` how often so far.
    """

    service: str
    saga: str
    id: str
    key: str
    happened: Happened
    status: Status
    trace: str
    step: str = ""
    attempts: int = 0
    error: str | None = None


Report = Callable[[Moment], None]
