"""Pure: what can still be said of a file whose syntax cannot be read: its lines, its imports, its definitions."""

from __future__ import annotations

import re
from collections import Counter

from ramet.advisor.facts import Kind
from ramet.advisor.scan.leaf import Import, Leaf
from ramet.advisor.scan.words import vocabulary

FROM = re.compile(r"^([ \t]*)from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]+(\([^()]{0,20000}\)|[^\n#;]+)", re.MULTILINE)
IMPORT = re.compile(
    r"^([ \t]*)import[ \t]+([\w.]+(?:[ \t]+as[ \t]+\w+)?(?:[ \t]*,[ \t]*[\w.]+(?:[ \t]+as[ \t]+\w+)?)*)", re.MULTILINE
)
DEFINED = re.compile(r"^([ \t]*)(?:async[ \t]+)?(def|class)[ \t]+(\w+)", re.MULTILINE)
NAME = re.compile(r"^(\w+)(?:\s+as\s+(\w+))?$")
COMMENT = re.compile(r"#[^\n]*")
IDENTIFIER = re.compile(r"[A-Za-z_]\w+")
MOST_READ = 200_000  # characters that are searched for words; a huge file repeats itself


def salvage(text: str, trouble: str, detail: str) -> Leaf:
    """A leaf from regular expressions alone: no strings, no calls, no tables."""
    found = [(m[1], m[2], m[3]) for m in DEFINED.finditer(text)]
    return Leaf(
        lines=text.count("\n") + (not text.endswith("\n") and bool(text)),
        functions=sum(kind == "def" for _, kind, _ in found),
        classes=sum(kind == "class" for _, kind, _ in found),
        words=vocabulary(Counter(IDENTIFIER.findall(text[:MOST_READ]))),
        defined=tuple(sorted({name for indent, _, name in found if not indent})),
        imports=tuple(sorted((*_from(text), *_plain(text)), key=lambda one: (one.line, one.module))),
        trouble=trouble,
        detail=detail,
    )


def _from(text: str) -> list[Import]:
    found = []
    lines = _Lines(text)
    for match in FROM.finditer(text):
        if not match[2]:
            continue
        pairs = [NAME.match(part.strip()) for part in COMMENT.sub("", match[3]).strip("()").split(",")]
        names = tuple((pair[1], pair[2] or pair[1]) for pair in pairs if pair)
        if "*" in match[3]:
            names = (("*", "*"),)
        if names:
            found.append(Import(match[2], names, lines.at(match.start(2)), _kind(match[1])))
    return found


def _plain(text: str) -> list[Import]:
    lines = _Lines(text)
    return [
        Import(part.split()[0], (), lines.at(match.start(2)), _kind(match[1]))
        for match in IMPORT.finditer(text)
        for part in match[2].split(",")
        if part.strip()
    ]


def _kind(indent: str) -> Kind:
    return Kind.LAZY if indent else Kind.IMPORT


class _Lines:
    """Line numbers of ascending offsets, counted once."""

    def __init__(self, text: str) -> None:
        self._text, self._offset, self._line = text, 0, 1

    def at(self, offset: int) -> int:
        self._line += self._text.count("\n", self._offset, offset)
        self._offset = offset
        return self._line
