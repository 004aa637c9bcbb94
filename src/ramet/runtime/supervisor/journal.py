"""What the replicas say: each line with who says it, on the terminal and in one file a group that is rotated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO

LARGEST_BYTES = 10 * 1024 * 1024
KEPT = 3
"""How many older files of a group are kept."""

Show = Callable[[str, str], None]
"""Shows a line on the terminal: who says it, and what."""


class Journal:
    """The log of one group."""

    def __init__(self, path: Path, show: Show, *, largest_bytes: int = LARGEST_BYTES) -> None:
        self._path = path
        self._show = show
        self._largest = largest_bytes
        self._file: IO[str] | None = None

    def say(self, who: str, text: str) -> None:
        """One line."""
        self._show(who, text)
        file = self._opened()
        file.write(f"{who} | {text}\n")
        file.flush()
        if file.tell() >= self._largest:
            self._rotate()

    def close(self) -> None:
        """Nothing more is said."""
        if self._file is not None:
            self._file.close()
            self._file = None

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
