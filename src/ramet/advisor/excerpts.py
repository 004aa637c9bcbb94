"""Excerpts: the lines of code around the places that a report names, read from the files as they are."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ramet.advisor.facts import Fact, Place

AROUND = 2
LONGEST_LINE = 200
LARGEST_FILE = 20_000_000


class Excerpt(Fact):
    """Lines of a file, the first of which has the number `first`."""

    path: str
    line: int
    first: int
    lines: tuple[str, ...]


def excerpts(root: Path, places: Iterable[Place], *, most: int = 400) -> tuple[Excerpt, ...]:
    """The excerpts of the first `most` different places; a file that cannot be read, or lies outside, gives none."""
    wanted: dict[str, set[int]] = {}
    for place in places:
        if sum(map(len, wanted.values())) >= most:
            break
        wanted.setdefault(place.path, set()).add(place.line)
    found: list[Excerpt] = []
    for path in sorted(wanted):
        lines = _lines(root, path)
        for line in sorted(wanted[path]):
            if 1 <= line <= len(lines):
                first = max(1, line - AROUND)
                shown = tuple(text[:LONGEST_LINE] for text in lines[first - 1 : line + AROUND])
                found.append(Excerpt(path=path, line=line, first=first, lines=shown))
    return tuple(found)


def _lines(root: Path, path: str) -> list[str]:
    try:
        file = (root / path).resolve()
        if not file.is_relative_to(root.resolve()) or file.stat().st_size > LARGEST_FILE:
            return []
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except (OSError, ValueError):
        return []
