"""How durable a PostgreSQL database is, how many connections it gets, and how it is reached again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class PostgresOptions:
    """`synchronous_commit` "on" survives a power failure; "off" may lose the last moments of it, but nothing else.

    At most `units` units of work are at work at a time and `readers` queries; connections are made when they are
    needed, and one writes Ramet's own rows. `later_seconds` is how long rows may wait that are written for later.
    A server that is not there is asked again after `retry_seconds`, later and later, at most `retry_most_seconds`, for
    `connect_seconds`. A unit that does nothing for `idle_seconds` is ended by the server, so that a process that hangs
    holds nobody up. What is sent to be executed at once (a commit, a rollback, Ramet's own rows, also to be read) is
    given up with its connection where there is no answer for `answer_seconds`: a server may vanish without a word.
    """

    synchronous_commit: Literal["on", "off"] = "on"
    isolation: Literal["serializable", "repeatable read"] = "serializable"
    units: int = 8
    readers: int = 4
    batch_rows: int = 1000
    later_seconds: float = 0.05
    connect_seconds: float = 5.0
    retry_seconds: float = 0.05
    retry_most_seconds: float = 1.0
    idle_seconds: float = 30.0
    answer_seconds: float = 30.0
    readonly: bool = False
