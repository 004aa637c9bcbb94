"""Pure: who of those that commit is a person: machines and assistants are no developers, and have no knowledge."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from ramet.advisor.facts import Commit

NO_PERSON = re.compile(
    r"\[bot\]|\(bot\)|[\s._-]bot$|^bot[\s._-]"
    r"|^(dependabot|renovate|pre-commit|github[ -]actions?|gitlab[ -](ci|bot)|pyup|snyk|greenkeeper|mergify|jenkins"
    r"|travis|circleci|zuul|(hosted )?weblate|transifex|crowdin|pontoon|semantic-release|web-flow|allcontributors"
    r"|openstack proposal|root$|unknown$|codecov|deepsource|imgbot)"
    r"|\bcopilot\b|^cursor(\s?agent)?$|^claude($|[\s-](code|ai|opus|sonnet|haiku|fable|\d))|^devin ai|^openai|^chatgpt"
    r"|^gemini([\s-]|$)|^codex([\s-]|$)|^aider\b|jules\[|coderabbit|^amp$",
    re.IGNORECASE,
)
"""Names of machines and assistants that commit, or are named as co-authors, in public repositories."""


@lru_cache(maxsize=65_536)
def is_person(name: str) -> bool:
    """Whether a name in a history is that of a person, as far as a name tells.

    >>> is_person("Ann Archer"), is_person("dependabot[bot]"), is_person("Claude Shannon"), is_person("Claude Opus 4")
    (True, False, True, False)
    """
    return NO_PERSON.search(name) is None


def people_of(commit: Commit) -> Iterator[str]:
    """The people of a commit: who made it, and with whom."""
    return (name for name in (commit.author, *commit.coauthors) if is_person(name))


def by_people(commits: Iterable[Commit]) -> Iterator[Commit]:
    """The commits that a person has made."""
    return (one for one in commits if is_person(one.author))
