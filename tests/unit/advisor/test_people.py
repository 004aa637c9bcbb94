"""Machines and assistants are no people; people whose names resemble theirs are."""

from __future__ import annotations

import pytest

from ramet.advisor.facts import Commit
from ramet.advisor.people import by_people, is_person, people_of


@pytest.mark.parametrize(
    "name",
    ["dependabot[bot]", "renovate-bot", "Weblate (bot)", "OpenStack Release Bot", "pre-commit-ci", "github-actions",
     "Claude Opus 4.6", "Claude", "GitHub Copilot", "Copilot Autofix powered by AI", "Cursor Agent", "Zuul"],
)  # fmt: skip
def test_a_machine_is_no_person(name: str) -> None:
    assert not is_person(name)


@pytest.mark.parametrize("name", ["Ann Lee", "Claude Monet", "Abbot Botham", "Gemma Reno", "Marcin Wcisło", "jbot99"])
def test_a_person_is_one(name: str) -> None:
    assert is_person(name)


def test_people_of_a_commit_are_those_who_made_it() -> None:
    with_help = Commit(id="1", at=1.0, author="Ann", files=(), coauthors=("Bob", "Claude Opus 4"))
    upgrade = Commit(id="2", at=2.0, author="dependabot[bot]", files=(), coauthors=("Ann",))
    assert list(people_of(with_help)) == ["Ann", "Bob"]
    assert list(by_people([with_help, upgrade])) == [with_help]
