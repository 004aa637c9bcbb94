"""What the runtime gives to the HTTP layer: settings, time, tasks, checks; and what it is told of each request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from ramet.clock import Clock
from ramet.contract.struct import Struct
from ramet.tasks import Spawn
from ramet.telemetry.context import Caller, Context

Check = Callable[[], Awaitable[Mapping[str, str]]]
"""What is wrong, by the name of the part; nothing is wrong when it is empty."""


class Cors(Struct):
    """Which other origins browsers may call from (`"*"` for all), and what they may send and see."""

    origins: tuple[str, ...] = ()
    methods: tuple[str, ...] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    headers: tuple[str, ...] = ("*",)
    expose: tuple[str, ...] = ("x-request-id", "link")
    credentials: bool = False
    max_age_seconds: int = 600


class HttpSettings(Struct):
    """What a deployment may say about its public APIs; times in seconds, sizes in bytes."""

    deadline_seconds: float = 5.0
    max_body: int = 1024 * 1024
    keep_alive_seconds: float = 15.0
    docs: bool = True
    cors: Cors | None = None


class Answered(Struct):
    """One request that has been answered, in `seconds`.

    `path` is the template, so that there are few; `parent` the span that the request came from; `error_id` finds an
    unexpected error in the log; `status` is 499 when the client went away first.
    """

    api: str
    operation: str
    method: str
    path: str
    status: int
    seconds: float
    context: Context
    parent: str | None = None
    error_id: str | None = None


async def _all_well() -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """Given by the runtime.

    `sign` makes the proof of a caller, for other processes; None where there are none. `answered` is called after each
    answer; it must be quick, being on the way of every request. A wrong `healthy` or
    `ready` takes the process out of service at `/healthz` and `/readyz`.
    """

    clock: Clock
    spawn: Spawn
    answered: Callable[[Answered], None] | None = None
    healthy: Check = field(default=_all_well)
    ready: Check = field(default=_all_well)
    region: str | None = None
    sign: Callable[[Caller], str] | None = None
