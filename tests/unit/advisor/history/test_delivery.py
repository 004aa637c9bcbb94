"""The four figures are proxies, told with their caveats, and only where there is enough to tell them from."""

from __future__ import annotations

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
    assert round(value(facts, "deployment frequency") or 0, 3) == round(3 / (365 / 7), 3)
    assert delivery(facts).pattern == "vN.N"


def test_pre_releases_and_other_tags_are_no_releases() -> None:
    tags = (*released(70, 40, 10), ("v2.0.0rc1", NOW), ("v2.0.0-beta.2", NOW), ("nightly", NOW))
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
