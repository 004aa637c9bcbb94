"""Pure: the vocabulary of identifiers: `createOrder` and `order_lines` both speak of orders."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

MOST_WORDS = 150
SHORTEST = 3
PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
SILENT = frozenset(
    [
        "self",
        "cls",
        "args",
        "kwargs",
        "none",
        "true",
        "false",
        "str",
        "int",
        "bool",
        "dict",
        "list",
        "set",
        "tuple",
        "len",
        "get",
        "return",
        "type",
        "object",
        "init",
        "super",
        "name",
        "value",
        "values",
        "data",
        "key",
        "keys",
        "item",
        "items",
        "result",
        "results",
        "append",
        "format",
        "isinstance",
        "getattr",
        "setattr",
        "hasattr",
        "property",
    ]
)


@lru_cache(maxsize=65536)
def split(identifier: str) -> tuple[str, ...]:
    """Its words in lower case, without those that every program uses."""
    found = (part.lower() for part in PARTS.findall(identifier))
    return tuple(word for word in found if len(word) >= SHORTEST and word not in SILENT)


def vocabulary(identifiers: Counter[str]) -> dict[str, int]:
    """How often each word occurs; only the most frequent, sorted by frequency and then by name."""
    words: dict[str, int] = {}
    for identifier, count in identifiers.items():
        for word in split(identifier):
            words[word] = words.get(word, 0) + count
    ranked = sorted(words.items(), key=lambda pair: (-pair[1], pair[0]))
    return dict(ranked[:MOST_WORDS])
