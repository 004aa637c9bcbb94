"""Pure: is this team, with this code, ready for services: fifteen questions, each answered by evidence or by a person.

What cannot be seen in a repository is asked, and what nobody has answered stays unknown. Unknown items are never
guessed: they widen the score to a range, and the recommendation says what would change it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from ramet.advisor.facts import Fact, Facts, Place
from ramet.advisor.phrases import counted
from ramet.advisor.readiness.checklist import ITEMS, Detected, Item


class Verdict(StrEnum):
    """What is known of an item."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Stage(StrEnum):
    """Where the company is."""

    START_UP = "start-up"
    GROWTH = "growth"
    SCALE = "scale"


class Advice(StrEnum):
    """What to do, from least to most."""

    STAY = "stay"
    HYBRID = "hybrid"
    ADOPT = "adopt"


class Level(StrEnum):
    """What the score alone says: 12 to 15 ready, 8 to 11 hybrid, 0 to 7 stay."""

    READY = "ready"
    HYBRID = "hybrid"
    STAY = "stay"


class Checked(Fact):
    """An item with its verdict; `source` is "detected", "answered" or "" where it is unknown."""

    id: str
    question: str
    verdict: Verdict
    source: str = ""
    evidence: str = ""
    places: tuple[Place, ...] = ()
    ask: str = ""


class Readiness(Fact):
    """The checklist, its score from `least` to `most` (all unknown items yes), and what follows from it."""

    items: tuple[Checked, ...]
    least: int
    most: int
    level: Level
    team: int | None
    stage: Stage | None
    advice: Advice
    reasons: tuple[str, ...]

    @property
    def unknown(self) -> tuple[Checked, ...]:
        """The items that nobody has answered."""
        return tuple(one for one in self.items if one.verdict is Verdict.UNKNOWN)


class Answers(Fact):
    """What people have said: by item id yes or no; the number of developers; the stage."""

    items: Mapping[str, bool] = {}
    team: int | None = None
    stage: Stage | None = None


def readiness(facts: Facts, answers: Answers, *, strong_boundaries: int | None = None) -> Readiness:
    """Check every item; an answer goes before what was detected. `strong_boundaries`: how many candidates have strong
    evidence (None: not looked for)."""
    detected = Detected(facts, strong_boundaries)
    items = tuple(_check(item, detected, answers) for item in ITEMS)
    least = sum(one.verdict is Verdict.YES for one in items)
    most = least + sum(one.verdict is Verdict.UNKNOWN for one in items)
    team = answers.team if answers.team is not None else detected.developers
    advice, reasons = _advise(least, team, answers.stage)
    return Readiness(
        items=items,
        least=least,
        most=most,
        level=level(least),
        team=team,
        stage=answers.stage,
        advice=advice,
        reasons=(*reasons, *_doubts(least, most, team, answers.stage, advice)),
    )


MEANING = {
    Level.READY: "enough to adopt services",
    Level.HYBRID: "enough to extract single services",
    Level.STAY: "too few to split anything off",
}


def level(score: int) -> Level:
    """What a score alone says."""
    return Level.READY if score >= 12 else Level.HYBRID if score >= 8 else Level.STAY


def _check(item: Item, detected: Detected, answers: Answers) -> Checked:
    if item.id in answers.items:
        verdict = Verdict.YES if answers.items[item.id] else Verdict.NO
        return Checked(id=item.id, question=item.question, verdict=verdict, source="answered")
    found = item.detect(detected) if item.detect is not None else None
    if found is None:
        return Checked(id=item.id, question=item.question, verdict=Verdict.UNKNOWN, ask=item.ask)
    return Checked(
        id=item.id,
        question=item.question,
        verdict=Verdict.YES if found.holds else Verdict.NO,
        source="detected",
        evidence=found.evidence,
        places=found.places,
    )


def _advise(score: int, team: int | None, stage: Stage | None) -> tuple[Advice, list[str]]:
    """The score says what is possible; the size of the team and the stage say how much of it is worth it."""
    possible = {Level.READY: 2, Level.HYBRID: 1, Level.STAY: 0}[level(score)]
    reasons = [f"{score} of the {len(ITEMS)} items of readiness hold: {MEANING[level(score)]}."]
    if team is not None:
        worth = 2 if team > 50 else 1 if team >= 10 else 0
        size = "more than 50" if team > 50 else "10 to 50" if team >= 10 else "fewer than 10"
        what = ("stay with one application", "extract what hurts", "services pay off")[worth]
        reasons.append(f"{counted(team, 'developer')} ({size}): {what}.")
        if worth == 1 and possible == 2 and stage is Stage.SCALE:
            worth = 2
            reasons.append("At scale a ready team of this size can adopt services.")
        possible = min(possible, worth)
    if stage is Stage.START_UP and possible:
        possible -= 1
        reasons.append("A start-up still moves its boundaries: one step less.")
    return (Advice.STAY, Advice.HYBRID, Advice.ADOPT)[possible], reasons


WHAT = {
    Advice.STAY: "stay with one application",
    Advice.HYBRID: "extract single services",
    Advice.ADOPT: "adopt services",
}


def _doubts(least: int, most: int, team: int | None, stage: Stage | None, advice: Advice) -> list[str]:
    told = []
    best, _ = _advise(most, team, stage)
    if best is not advice:
        told.append(f"{most - least} are unknown; were all of them yes, the advice would be: {WHAT[best]}.")
    if team is None:
        told.append("The number of developers is unknown: no history tells, and nobody has said.")
    return told
