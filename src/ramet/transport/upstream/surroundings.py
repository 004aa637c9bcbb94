"""What the parts of an upstream share: how to dial, time, tasks, whom to tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ramet.clock import Clock
from ramet.tasks import Spawn
from ramet.transport.base import Dial
from ramet.transport.policy.moments import Hook


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """`group` is the process group that is called; `changed` is to be called when a replica was reached, or was not."""

    group: str
    dial: Dial
    clock: Clock
    spawn: Spawn
    hook: Hook
    changed: Callable[[], None]
