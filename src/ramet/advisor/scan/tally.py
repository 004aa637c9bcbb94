"""Pure: what has been found in a file so far, and the leaf made of it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from typing import TypeVar

from msgspec.structs import replace

from ramet.advisor.scan.leaf import Ask, Hand, Import, Leaf, Note, Shape, Text, Touch, Use, Web
from ramet.advisor.scan.words import vocabulary

T = TypeVar("T", Touch, Ask)
STANDARD = sys.stdlib_module_names
MOST_LINES = 12  # of one name that is called


class Tally:
    """Lists that grow while a tree is walked."""

    def __init__(self) -> None:
        self.functions = self.classes = self.complexity = 0
        self.identifiers: list[str] = []
        self.imports: list[Import] = []
        self.texts: list[Text] = []
        self.sql: list[tuple[str, int, str, str]] = []
        self.shapes: list[Shape] = []
        self.touches: list[Touch] = []
        self.asks: list[Ask] = []
        self.hands: list[Hand] = []
        self.webs: list[Web] = []
        self.notes: list[Note] = []
        self.committed: set[str] = set()
        self._uses: dict[str, list[int]] = {}

    def use(self, name: str, line: int) -> None:
        """A name is called here."""
        self._uses.setdefault(name, []).append(line)

    def ask(self, function: str, target: str, line: int, transaction: str) -> None:
        """A function calls another. Left out: tests, and what touches no tables: classes and the standard library."""
        own = target.rpartition(".")[2].lstrip(":")
        if not (own[:1].isupper() or function.startswith("test_") or target.partition(".")[0] in STANDARD):
            self.asks.append(Ask(function, target, line, transaction))

    def _first_asks(self) -> Iterable[Ask]:
        first: dict[tuple[str, str, str], Ask] = {}
        for one in self.asks:
            first.setdefault((one.function, one.target, one.transaction), one)
        return first.values()

    def marks(self) -> tuple[int, int]:
        """How much was found of what a transaction may hold."""
        return len(self.touches), len(self.asks)

    def close(self, function: str, marks: tuple[int, int]) -> None:
        """A function ended that began at these marks: if it committed, everything in it was one transaction."""
        if function in self.committed:
            touches, asks = marks
            self.touches[touches:] = _held(self.touches[touches:], function)
            self.asks[asks:] = _held(self.asks[asks:], function)

    def leaf(self, *, lines: int, doc: str, defined: set[str], touches: list[Touch]) -> Leaf:
        """Everything as one frozen value; `touches` are those found in SQL."""
        uses = tuple(
            Use(name, len(found), tuple(sorted(set(found))[:MOST_LINES])) for name, found in sorted(self._uses.items())
        )
        return Leaf(
            lines=lines,
            functions=self.functions,
            classes=self.classes,
            complexity=self.complexity,
            doc=doc,
            words=vocabulary(Counter(self.identifiers)),
            defined=tuple(sorted(defined)),
            imports=tuple(self.imports),
            uses=uses,
            texts=tuple(dict.fromkeys(self.texts)),
            shapes=tuple(self.shapes),
            touches=tuple(dict.fromkeys((*self.touches, *touches))),
            asks=tuple(self._first_asks()),
            committing=tuple(sorted(self.committed)),
            hands=tuple(dict.fromkeys(self.hands)),
            webs=tuple(dict.fromkeys(self.webs)),
            notes=tuple(dict.fromkeys(self.notes)),
        )


def _held(found: list[T], transaction: str) -> list[T]:
    return [one if one.transaction else replace(one, transaction=transaction) for one in found]
