"""Pure: numbers and lists as they stand in a sentence."""

from __future__ import annotations

from collections.abc import Sequence


def counted(count: int, thing: str) -> str:
    """A number of things: "1 place", "2 places", "1,200 places"."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def listed(names: Sequence[str], most: int = 8) -> str:
    """Names in a row: "a", "a and b", "a, b and c", "a, b and 7 more"."""
    shown = [*names[:most], f"{len(names) - most} more"] if len(names) > most else list(names)
    return " and ".join((", ".join(shown[:-1]), shown[-1])) if len(shown) > 1 else "".join(shown)


def verb(count: int, singular: str, plural: str) -> str:
    """The form of a verb that fits so many subjects."""
    return singular if count == 1 else plural
