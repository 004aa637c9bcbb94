"""One process at a time: a lock on a file, released by the operating system when the process ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class FileLock:
    """An exclusive lock on a file, which holds the number of the process that has it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> str:
        """Take it; where another has it, the number of that process ("?" where it has not said so yet), else "".

        Raises: OSError where there can be no such file.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode().strip() or "?"
            os.close(descriptor)
            return holder
        except BaseException:
            os.close(descriptor)
            raise
        os.write(descriptor, f"{os.getpid():<10}".encode())
        self._descriptor = descriptor
        return ""

    def release(self) -> None:
        """Let go of it; harmless when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
