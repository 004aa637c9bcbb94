"""Excerpts: the lines of code around the places that a report names, read from the files as they are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from ramet.advisor.facts import Fact, Place
from ramet.advisor.scan.source import text_of
from ramet.advisor.scan.tree import content_of

AROUND = 2
LONGEST_LINE = 200
LARGEST_FILE = 20_000_000
NEW_LINE = re.compile(r"\r\n|\r|\n")
"""What ends a line for Python; a form feed does not."""
SIGNS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]")
"""What would not be seen, or would turn the text around."""


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
        text = text_of(content_of(str(file), LARGEST_FILE)).rstrip("\r\n")
        return [SIGNS.sub(_named, line) for line in NEW_LINE.split(text)]
    except (OSError, ValueError):
        return []


def _named(sign: re.Match[str]) -> str:
    return f"\\x{ord(sign[0]):02x}" if sign[0] < "\x80" else f"\\u{ord(sign[0]):04x}"
