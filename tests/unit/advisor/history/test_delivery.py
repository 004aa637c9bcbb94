"""The four figures are proxies, told with their caveats, and only where there is enough to tell them from."""

from __future__ import annotations

import pytest

from ramet.advisor.facts import Facts
from ramet.advisor.history.delivery import delivery
from tests.unit.advisor.invented import DAY, NOW, commit


def value(facts: Facts, name: str) -> float | None:
    return next(one.value for one in delivery(facts).figures if one.name == name)


def released(*days_ago: float, prefix: str = "v") -> tuple[tuple[str, float], ...]:
    return tuple((f"{prefix}1.{n}.0", NOW - at * DAY) for n, at in enumerate(days_ago))


COMMITS = tuple(commit(n, "a.py", days_ago=n) for n in range(100))


def test_nothing_is_told_without_tags() -> None:
    found = delivery(Facts(root="r", commits=COMMITS))
    assert [one.value for one in found.figures] == [None, None, 0.0, None]
    assert found.caveats == ("There are no tags, so nothing says when a release was made.",)


def test_releases_a_week() -> None:
    facts = Facts(root="r", commits=COMMITS, tags=released(70, 40, 10))
    assert round(value(facts, "deployment frequency") or 0, 3) == round(3 / (99 / 7), 3)
    assert delivery(facts).pattern == "vN.N"


def test_a_history_of_more_than_a_year_counts_the_last_one() -> None:
    facts = Facts(root="r", commits=(*COMMITS, commit(100, "a.py", days_ago=900)), tags=released(70, 40, 10))
    assert round(value(facts, "deployment frequency") or 0, 3) == round(3 / (365 / 7), 3)


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (("release-2017-09-12", "release-2017-09-19", "test/ficus.1.0"), "release-DATE"),
        (("2024.01.02", "2024.02.03", "v1.0"), "DATE"),
        (("release-123", "release-124", "issue-9"), "release-N"),
        (("v7", "v8", "8.0"), "vN"),
    ],
)
def test_releases_are_named_in_several_ways(names: tuple[str, ...], pattern: str) -> None:
    found = delivery(Facts(root="r", commits=COMMITS, tags=tuple((name, NOW) for name in names)))
    assert (found.pattern, found.releases) == (pattern, 2)


def test_what_is_tagged_now_counts_more_than_what_was_tagged_once() -> None:
    old = tuple((f"v1.{n}", NOW - 900 * DAY) for n in range(9))
    assert delivery(Facts(root="r", commits=COMMITS, tags=(*old, ("release-1", NOW)))).pattern == "release-N"


def test_pre_releases_and_other_tags_are_no_releases() -> None:
    tags = (*released(70, 40, 10), ("v2.0.0rc1", NOW), ("v2.0.0-beta.2", NOW), ("v1.2.0+docs", NOW), ("nightly", NOW))
    assert delivery(Facts(root="r", commits=COMMITS, tags=tags)).releases == 3


def test_lead_time_is_from_a_commit_to_the_next_release() -> None:
    facts = Facts(root="r", commits=COMMITS[:91], tags=released(90, 60, 30, 0))
    assert value(facts, "lead time for changes") == 14.0


def test_reverts_are_changes_that_failed() -> None:
    reverts = tuple(commit(n, "a.py", subject='Revert "a change"') for n in range(5))
    assert value(Facts(root="r", commits=(*COMMITS[:95], *reverts)), "change failure rate") == 5.0


def test_squash_merges_are_told_of() -> None:
    commits = tuple(commit(n, "a.py", subject=f"A change (#{n})") for n in range(10))
    assert any("squash merges" in one for one in delivery(Facts(root="r", commits=commits)).caveats)
