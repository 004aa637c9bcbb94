"""How durable a SQLite database is, how large its batches are, and what it gives to a thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class SqliteOptions:
    """`synchronous` FULL survives a power failure; NORMAL survives a crash of the process; OFF is for tests.

    A batch ends after `batch_units` or `batch_seconds`. Commits are made on the event loop while they take less than
    `quick_commit_seconds` on average, and in a thread otherwise; infinity means never in a thread. `busy_seconds` is
    how long another program that writes to the file is waited for, `later_seconds` how long rows may wait that are
    written for later.
    """

    synchronous: Literal["FULL", "NORMAL", "OFF"] = "FULL"
    batch_units: int = 256
    batch_seconds: float = 0.005
    quick_commit_seconds: float = 0.0003
    later_seconds: float = 0.05
    busy_seconds: float = 1.0
    readonly: bool = False

    @property
    def has_threads(self) -> bool:
        """Whether anything may be given to a thread."""
        return self.quick_commit_seconds != float("inf")


TEMPORARY = SqliteOptions(synchronous="OFF", quick_commit_seconds=float("inf"))
"""Nothing to be durable, and no threads: what tests and simulations want."""
