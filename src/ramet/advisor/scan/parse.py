"""Pure: one file, from its bytes to its leaf; never raises, whatever the bytes are."""

from __future__ import annotations

import ast

from ramet.advisor.scan.leaf import Leaf, Touch
from ramet.advisor.scan.names import whole
from ramet.advisor.scan.salvage import salvage
from ramet.advisor.scan.source import text_of, tree_of
from ramet.advisor.scan.sql import touched
from ramet.advisor.scan.visitor import Visitor

LARGEST = 1_000_000  # bytes; a tree takes up to 350 times as much memory as its text
MOST_DOC = 200


def leaf_of(data: bytes) -> Leaf:
    """What a file says. `trouble` names what kept it from being read whole: syntax, size, depth."""
    text = text_of(data)
    null = "\0" in text
    text = text.replace("\0", " ")
    if len(data) > LARGEST:
        return salvage(text, "size", f"{len(data):,} bytes")
    if null:
        return salvage(text, "syntax", "null bytes")
    try:
        tree = tree_of(text)
        visitor = Visitor(tree)
        return visitor.tally.leaf(
            lines=text.count("\n") + (not text.endswith("\n") and bool(text)),
            doc=_doc(tree),
            defined=visitor.defined,
            touches=[touch for one in visitor.tally.sql for touch in _sql(*one)],
        )
    except SyntaxError as error:
        return salvage(text, "syntax", whole(f"line {error.lineno}: {error.msg}" if error.lineno else error.msg))
    except RecursionError:
        return salvage(text, "depth", "nested too deeply")


def _doc(tree: ast.Module) -> str:
    return whole(((ast.get_docstring(tree) or "").strip().split("\n", 1)[0])[:MOST_DOC])


def _sql(sql: str, line: int, function: str, opened: str) -> list[Touch]:
    return [Touch(f"#{table}", line, writes, function, opened, sure=True) for table, writes in touched(sql)]
