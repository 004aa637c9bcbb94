"""Mistakes in declarations: where each one is, what is wrong, and how to mend it."""

from __future__ import annotations

import functools
import inspect
import linecache
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Problem:
    """One mistake; `file` is relative to the working directory where that is shorter, `line` counts from 1."""

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


def shown(file: str) -> str:
    """A path as people read it: relative to the working directory where it lies below it."""
    relative = os.path.relpath(file) if os.path.isabs(file) else file
    return file if relative.startswith("..") else relative


@functools.lru_cache(maxsize=1024)
def where(thing: Any, word: str | None = None) -> tuple[str, int]:
    """File and line of a class or function; with `word`, of the first line inside it that has the word."""
    target = inspect.unwrap(thing) if callable(thing) else thing
    try:
        lines, first = inspect.getsourcelines(target)
        file = inspect.getsourcefile(target) or "?"
    except (OSError, TypeError):
        code = getattr(target, "__code__", None)
        return (code.co_filename, code.co_firstlineno) if code else (getattr(target, "__module__", "?"), 1)
    linecache.checkcache(file)
    wanted = word or ("class " if inspect.isclass(target) else "def ")
    for offset, line in enumerate(lines):
        if wanted in line:
            return file, first + offset
    return file, first
