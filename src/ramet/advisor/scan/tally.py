"""Pure: what has been found in a file so far, and the leaf made of it."""

from __future__ import annotations

from collections import Counter

from ramet.advisor.scan.leaf import Hand, Import, Leaf, Note, Shape, Text, Touch, Use, Web
from ramet.advisor.scan.words import vocabulary

MOST_LINES = 12  # of one name that is called


class Tally:
    """Lists that grow while a tree is walked."""

    def __init__(self) -> None:
        self.functions = self.classes = self.complexity = 0
        self.identifiers: list[str] = []
        self.imports: list[Import] = []
        self.texts: list[Text] = []
        self.sql: list[tuple[str, int, str]] = []
        self.shapes: list[Shape] = []
        self.touches: list[Touch] = []
        self.hands: list[Hand] = []
        self.webs: list[Web] = []
        self.notes: list[Note] = []
        self.committed: set[str] = set()
        self._uses: dict[str, list[int]] = {}

    def use(self, name: str, line: int) -> None:
        """A name is called here."""
        self._uses.setdefault(name, []).append(line)

    def close(self, function: str, start: int) -> None:
        """A function ended: if it committed, everything it touched was one transaction."""
        if function in self.committed:
            self.touches[start:] = [
                one if one.transaction else Touch(one.name, one.line, one.writes, function, one.sure)
                for one in self.touches[start:]
            ]

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
            hands=tuple(dict.fromkeys(self.hands)),
            webs=tuple(dict.fromkeys(self.webs)),
            notes=tuple(dict.fromkeys(self.notes)),
        )
