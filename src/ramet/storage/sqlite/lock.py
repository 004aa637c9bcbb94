"""One process writes to a database file: a lock beside it, released by the operating system when the process ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from ramet.errors import StorageError


class ProcessLock:
    """An exclusive lock on `<database>.lock`, which holds the number of the process that has it."""

    def __init__(self, database: Path, service: str) -> None:
        self._path = database.with_name(database.name + ".lock")
        self._database, self._service = database, service
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take it. Raises: StorageError naming the process that has it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 32).decode().strip() or "?"
            os.close(descriptor)
            raise StorageError(
                f"The database of {self._service} at {self._database} is in use by process {holder}: "
                "stop that process, or give this one another data folder."
            ) from error
        os.write(descriptor, f"{os.getpid():<10}".encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go of it; harmless when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
