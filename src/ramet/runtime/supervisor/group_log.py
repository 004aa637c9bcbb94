"""What the replicas say: each line with who says it, on the terminal and in one file a group that is rotated."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import IO

LARGEST_BYTES = 10 * 1024 * 1024
KEPT = 3
"""How many older files of a group are kept."""

log = logging.getLogger("ramet.supervisor")

Show = Callable[[str, str], None]
"""Shows a line on the terminal: who says it, and what."""


class GroupLog:
    """The log of one group."""

    def __init__(self, path: Path, show: Show, *, largest_bytes: int = LARGEST_BYTES) -> None:
        self._path = path
        self._show = show
        self._largest = largest_bytes
        self._file: IO[str] | None = None
        self._is_kept = True

    def say(self, who: str, text: str) -> None:
        """One line. Where it cannot be kept it is shown all the same: whoever speaks must not be held up by a disk."""
        with contextlib.suppress(OSError):  # the terminal may be gone, or a file on a full disk
            self._show(who, text)
        try:
            self._keep(f"{who} | {text}\n")
        except OSError as error:
            self.close()
            if self._is_kept:
                log.warning("What is said is shown, and not kept in %s for now: %s.", self._path, error.strerror)
            self._is_kept = False
        else:
            self._is_kept = True

    def _keep(self, line: str) -> None:
        file = self._opened()
        file.write(line)
        file.flush()
        if file.tell() >= self._largest:
            self._rotate()

    def close(self) -> None:
        """Nothing more is said."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):  # it could not be written, which has been said
                file.close()

    def _opened(self) -> IO[str]:
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("a", encoding="utf-8", errors="backslashreplace")
        return self._file

    def _rotate(self) -> None:
        self.close()
        for number in range(KEPT - 1, 0, -1):
            older = self._numbered(number)
            if older.exists():
                older.replace(self._numbered(number + 1))
        self._path.replace(self._numbered(1))

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")
