"""Pure: the lines of a CODEOWNERS file, and who owns a path: the last line that matches (as GitHub has it)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from ramet.advisor.facts import Owner

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")

MOST_STARS = 8
"""A pattern with more is no pattern of a person, and could take for ever to match."""


def owners_of(text: str) -> tuple[Owner, ...]:
    """The lines with a pattern, in their order; section heads of GitLab and comments are left out."""
    lines = (re.split(r"(?<!\\)\s+", line.split(" #", 1)[0].strip()) for line in text.splitlines())
    return tuple(
        Owner(pattern=parts[0].replace("\\ ", " "), owners=tuple(parts[1:]))
        for parts in lines
        if parts[0] and parts[0][0] not in "#[^" and parts[0].count("*") <= MOST_STARS
    )


def owners_for(path: str, owners: Iterable[Owner]) -> tuple[str, ...]:
    """Who owns a path, relative to the root of the repository; () for nobody."""
    matching = [one.owners for one in owners if pattern(one.pattern).match(path)]
    return matching[-1] if matching else ()


@lru_cache(maxsize=4096)
def pattern(text: str) -> re.Pattern[str]:
    """A pattern in the manner of .gitignore as a regular expression."""
    body = text.strip("/")
    anchored = text.startswith("/") or "/" in body
    parts = [
        {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part, re.escape(part))
        for part in re.split(r"(\*\*/|\*\*|\*|\?)", body)
    ]
    single = body.endswith("/*") or body == "*"
    end = "$" if single and body != "*" else "(?:/.*)?$"
    return re.compile(("^" if anchored else "^(?:.*/)?") + "".join(parts) + end)
