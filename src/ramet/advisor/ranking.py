"""Pure: how good a candidate is: a weighted mean of six figures, and what they mean in words.

The weights were set beforehand and never fitted: real splits are too few to learn from without learning them by heart.
"""

from __future__ import annotations

from ramet.advisor.candidates_values import Score
from ramet.advisor.finding import Strength

WEIGHTS = {
    "cohesion": 0.25,
    "independence": 0.25,
    "low_fan_in": 0.2,
    "size": 0.1,
    "vocabulary": 0.1,
    "folders": 0.1,
}
FEWEST_COMMITS = 10
MANY_COMMITS = 40
GOOD, POOR = 0.6, 0.35


def size_prior(share: float) -> float:
    """1 for parts of 1 to 15 % of the code; towards 0 for what is smaller, and for half of the code."""
    if share < 0.01:
        return share / 0.01
    return 1.0 if share <= 0.15 else max(0.0, 1 - (share - 0.15) / 0.35)


def total(figures: dict[str, float]) -> Score:
    """The score that these figures make."""
    return Score(**figures, total=sum(WEIGHTS[name] * value for name, value in figures.items()))


def strength(score: Score, commits: int, *, borrowed: int = 0, torn: int = 0) -> tuple[Strength, tuple[str, ...]]:
    """How strong the evidence is, and why: what speaks for the cut, then what speaks against it.

    `borrowed` tables of others that it writes, and `torn` transactions, speak against it whatever the score says.
    """
    good = [text for name, (text, _) in _WORDS.items() if getattr(score, name) >= GOOD]
    poor = [text for name, (_, text) in _WORDS.items() if getattr(score, name) < POOR]
    if borrowed:
        poor.append(f"it writes {borrowed} tables that belong to others")
    if torn:
        poor.append(f"{torn} transactions would need a saga")
    if commits < FEWEST_COMMITS:
        reason = f"only {commits} commits say how it changes: nothing can be said of its independence with confidence"
        return Strength.WEAK, (*good, *poor, reason)
    if len(good) >= 4 and not poor and commits >= MANY_COMMITS:
        return Strength.STRONG, tuple(good)
    if score.total >= 0.45 and len(good) >= max(2, len(poor)):
        return Strength.MODERATE, (*good, *poor)
    return Strength.WEAK, (*good, *poor) or ("no figure stands out",)


_WORDS = {
    "cohesion": ("most of what links its modules stays inside", "more links leave it than stay inside"),
    "independence": ("most of its changes touch nothing else", "most of its changes touch other code, too"),
    "low_fan_in": ("few other modules depend on it", "many other modules depend on it"),
    "vocabulary": ("it speaks a language of its own", "it shares its words with the rest"),
    "folders": ("it lies in folders of its own", "it is scattered over folders"),
}
