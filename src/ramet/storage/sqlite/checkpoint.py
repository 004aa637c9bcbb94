"""Moves SQLite's log into the database file in a thread, so that no commit on the event loop has to."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

log = logging.getLogger("ramet.storage")

PAGES = 16_000
"""When the log is this long (64 MB) after all, a commit does it: only then can the log begin anew under steady load."""
COMMITS = 200
"""A checkpoint is begun after as many commits."""


class Checkpointer:
    """Counts commits, and begins a checkpoint on a connection of its own when it is time."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        self._executor = ThreadPoolExecutor(1, "ramet-checkpoint")
        self._running: Future[None] | None = None
        self._commits = 0

    def committed(self) -> None:
        """Called after every commit."""
        self._commits += 1
        if self._commits >= COMMITS and (self._running is None or self._running.done()):
            self._commits = 0
            try:
                self._running = self._executor.submit(self._run)
            except RuntimeError as error:
                log.warning("No checkpoint can be made now: %s", error)

    def _run(self) -> None:
        try:
            self._connection = self._connection or self._connect()
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except sqlite3.Error as error:
            log.warning("The log of %s could not be checkpointed: %s", self._connection, error)

    def close(self) -> None:
        """Wait for the one that is running."""
        self._executor.shutdown()
        if self._connection is not None:
            self._connection.close()
