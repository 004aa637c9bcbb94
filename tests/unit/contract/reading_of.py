"""Reads a file of declarations as an application, and the problems that the comments at its top expect."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ramet.contract.application import Application
from ramet.contract.problems import Problem
from ramet.contract.reading.application import examine

HEADER = "#: "


def read_file(path: Path) -> tuple[Problem, ...]:
    """Every mistake in the file, which is one application."""
    with importable(path):
        return examine(Application("wrong", services=[path.stem], place=(str(path), 1)))[1]


@contextmanager
def importable(path: Path) -> Iterator[None]:
    """The file can be imported by its name, anew each time, and leaves nothing behind."""
    before = set(sys.modules)
    sys.path.insert(0, str(path.parent))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(path.parent))
        for name in set(sys.modules) - before:
            if str(path.parent) in str(getattr(sys.modules[name], "__file__", "")) or name == path.stem:
                del sys.modules[name]


def expected(path: Path) -> list[str]:
    """`LINE: SENTENCE REMEDY` for each mistake, in order."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.removeprefix(HEADER) for line in lines if line.startswith(HEADER)]


def found(path: Path) -> list[str]:
    """The same, as read."""
    return [
        f"{problem.line}: {problem.message} {problem.remedy}".rstrip()
        if Path(problem.file).name == path.name
        else str(problem)
        for problem in read_file(path)
    ]
