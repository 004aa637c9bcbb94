"""Mistakes in declarations: where each one is, what is wrong, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ramet.contract.places import shown, where


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Problem:
    """One mistake; `file` is relative to the working directory where it lies below it, `line` counts from 1."""

    file: str
    line: int
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message} {self.remedy}".rstrip()


class Problems:
    """Collects every mistake, so that all are reported at once."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(self, at: object, message: str, remedy: str = "", *, word: str | None = None) -> None:
        """Report a mistake at a class, function or (file, line); `word` finds the exact line within it."""
        file, line = at if isinstance(at, tuple) else where(at, word)
        self._found.append(Problem(file=shown(file), line=line, message=message, remedy=remedy))

    def extend(self, found: Iterable[Problem]) -> None:
        """Add mistakes that were found elsewhere."""
        self._found += found

    def __iter__(self) -> Iterator[Problem]:
        return iter(sorted(set(self._found)))

    def __len__(self) -> int:
        return len(self._found)
