"""Readiness is scored from evidence and answers; what nobody knows stays unknown."""

from __future__ import annotations

import pytest

from ramet.advisor.facts import Facts, Owner, Signal
from ramet.advisor.readiness.checklist import ITEMS
from ramet.advisor.readiness.score import Advice, Answers, Level, Stage, Verdict, level, readiness
from tests.unit.advisor.invented import at, commit

NOTHING = Facts(root="nothing")
EVERYTHING = {item.id: True for item in ITEMS}


def answers(yes: int, team: int | None = 60, stage: Stage | None = None) -> Answers:
    return Answers(items={item.id: n < yes for n, item in enumerate(ITEMS)}, team=team, stage=stage)


def test_there_are_fifteen_items() -> None:
    assert len(ITEMS) == len({item.id for item in ITEMS}) == 15


def test_nothing_is_guessed_of_an_empty_repository() -> None:
    found = readiness(NOTHING, Answers())
    assert {one.verdict for one in found.items} == {Verdict.UNKNOWN}
    assert (found.least, found.most, found.advice, found.team) == (0, 15, Advice.STAY, None)
    assert "15 are unknown; were all of them yes, the advice would be: adopt services." in found.reasons


@pytest.mark.parametrize(
    ("score", "expected"),
    [(15, Level.READY), (12, Level.READY), (11, Level.HYBRID), (8, Level.HYBRID), (7, Level.STAY)],
)
def test_the_score_has_three_levels(score: int, expected: Level) -> None:
    assert level(score) is expected
    assert readiness(NOTHING, answers(score)).level is expected


@pytest.mark.parametrize(
    ("yes", "team", "stage", "advice"),
    [
        (15, 60, None, Advice.ADOPT),
        (15, 30, None, Advice.HYBRID),
        (15, 30, Stage.SCALE, Advice.ADOPT),
        (15, 5, Stage.SCALE, Advice.STAY),
        (9, 60, None, Advice.HYBRID),
        (9, 60, Stage.START_UP, Advice.STAY),
        (5, 200, Stage.SCALE, Advice.STAY),
    ],
)
def test_the_advice_takes_the_team_and_the_stage_into_account(
    yes: int, team: int, stage: Stage | None, advice: Advice
) -> None:
    assert readiness(NOTHING, answers(yes, team, stage)).advice is advice


def test_the_team_is_who_commits_regularly() -> None:
    commits = [commit(n, "a.py", author=f"dev{n % 25}") for n in range(75)]
    commits += [commit(99, "a.py", author="once"), commit(100, "a.py", author="long ago", days_ago=500)]
    found = readiness(Facts(root="r", commits=tuple(commits)), Answers())
    item = next(one for one in found.items if one.id == "team-size")
    assert (found.team, item.verdict, item.source) == (25, Verdict.YES, "detected")


def test_evidence_says_where_it_is() -> None:
    facts = Facts(root="r", signals=(Signal(name="dockerfile", place=at("deploy/Dockerfile")),))
    item = next(one for one in readiness(facts, Answers()).items if one.id == "containers")
    assert (item.verdict, item.places) == (Verdict.YES, (at("deploy/Dockerfile"),))


def test_an_answer_goes_before_what_was_detected() -> None:
    facts = Facts(root="r", signals=(Signal(name="dockerfile", place=at("Dockerfile")),))
    item = next(one for one in readiness(facts, Answers(items={"containers": False})).items if one.id == "containers")
    assert (item.verdict, item.source) == (Verdict.NO, "answered")


def test_several_teams_own_the_code() -> None:
    owners = (Owner(pattern="/a", owners=("@org/red",)), Owner(pattern="/b", owners=("@org/blue", "@ann")))
    found = readiness(Facts(root="r", owners=owners), Answers())
    assert (
        next(one for one in found.items if one.id == "several-teams").evidence
        == "CODEOWNERS names 2 teams: @org/blue, @org/red"
    )


def test_clear_boundaries_are_candidates_with_strong_evidence() -> None:
    def boundary(strong: int | None) -> Verdict:
        found = readiness(NOTHING, Answers(), strong_boundaries=strong)
        return next(one.verdict for one in found.items if one.id == "domain-boundaries")

    assert [boundary(None), boundary(2), boundary(3)] == [Verdict.UNKNOWN, Verdict.NO, Verdict.YES]
