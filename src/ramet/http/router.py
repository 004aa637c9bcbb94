"""Pure: which operation answers a path, and what stands in the places of its template.

Paths without a place are looked up in a dictionary; the others in a tree of segments, where a literal segment wins over
a place and a place over `{name:path}`, whatever the order in which they were declared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")

NOWHERE: Mapping[str, str] = {}
Ends = dict[str, tuple[T, tuple[str, ...]]]
"""What answers at the end of a path, by HTTP method, with the names of the places on the way."""


class _Node(Generic[T]):
    """One segment of the tree."""

    __slots__ = ("ends", "literal", "place", "rest")

    def __init__(self) -> None:
        self.literal: dict[str, _Node[T]] = {}
        self.place: _Node[T] | None = None
        self.rest: _Node[T] | None = None
        self.ends: Ends[T] = {}


class Router(Generic[T]):
    """Finds what was added for a method and a path."""

    def __init__(self) -> None:
        self._exact: dict[str, Ends[T]] = {}
        self._root: _Node[T] = _Node()

    def add(self, method: str, path: str, target: T) -> None:
        """Let `target` answer `method` at `path`; what answers GET answers HEAD too."""
        names = tuple(re.findall(r"\{(\w+)(?::path)?\}", path))
        ends = self._node(path).ends if names else self._exact.setdefault(path, {})
        ends[method] = (target, names)
        if method == "GET":
            ends.setdefault("HEAD", (target, names))

    def find(self, method: str, path: str) -> tuple[T, Mapping[str, str]] | None:
        """The target, and what stands in the places of its path."""
        ends = self._exact.get(path)
        if ends is not None and (exact := ends.get(method)) is not None:
            return exact[0], NOWHERE
        segments = path.split("/")
        if (straight := self._straight(method, segments)) is not None:
            return straight
        for ends, values in _walk(self._root, segments, 0):
            if (hit := ends.get(method)) is not None:
                return hit[0], dict(zip(hit[1], values, strict=True))
        return None

    def _straight(self, method: str, segments: list[str]) -> tuple[T, Mapping[str, str]] | None:
        """The way that is nearly always right: the literal segment where there is one, else the place; no way back."""
        node, values = self._root, []
        for segment in segments:
            literal = node.literal.get(segment)
            if literal is not None:
                node = literal
            elif node.place is not None and segment:
                values.append(segment)
                node = node.place
            else:
                return None
        hit = node.ends.get(method)
        return None if hit is None else (hit[0], dict(zip(hit[1], values, strict=True)))

    def allowed(self, path: str) -> tuple[str, ...]:
        """The methods that are answered at a path; none where there is nothing."""
        found = list(self._exact.get(path, ()))
        for ends, _ in _walk(self._root, path.split("/"), 0):
            found.extend(ends)
        return tuple(sorted(set(found)))

    def _node(self, path: str) -> _Node[T]:
        node = self._root
        for segment in path.split("/"):
            if not segment.startswith("{"):
                node = node.literal.setdefault(segment, _Node())
            elif segment.endswith(":path}"):
                node.rest = node = node.rest or _Node()
            else:
                node.place = node = node.place or _Node()
        return node


def _walk(node: _Node[T], segments: list[str], at: int) -> Iterator[tuple[Ends[T], tuple[str, ...]]]:
    """Every end that fits, the most literal first, with the values of its places."""
    if at == len(segments):
        if node.ends:
            yield node.ends, ()
        return
    segment = segments[at]
    if (literal := node.literal.get(segment)) is not None:
        yield from _walk(literal, segments, at + 1)
    if node.place is not None and segment:
        for ends, values in _walk(node.place, segments, at + 1):
            yield ends, (segment, *values)
    if node.rest is not None and (rest := "/".join(segments[at:])):
        yield node.rest.ends, (rest,)
