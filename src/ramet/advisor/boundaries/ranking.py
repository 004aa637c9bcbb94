"""Pure: how good a candidate is: a weighted mean of eight figures, and what they mean in words.

A service is more than a leaf of the graph: it keeps data of its own and is about the business, not about plumbing. The
weights of these two were chosen on removals of parts in projects that no reported figure comes from
(benchmarks/advisor); the others were set beforehand.
"""

from __future__ import annotations

from ramet.advisor.boundaries.values import Score
from ramet.advisor.finding import Strength
from ramet.advisor.phrases import counted

WEIGHTS = {
    "cohesion": 0.18,
    "independence": 0.18,
    "low_fan_in": 0.14,
    "data": 0.14,
    "business": 0.14,
    "size": 0.08,
    "vocabulary": 0.07,
    "folders": 0.07,
}
FEWEST_COMMITS = 10
MANY_COMMITS = 40
FEWEST_FOR_A_SERVICE = 8
"""Fewer modules make a nano-service: running it costs more than it is."""
GOOD, POOR = 0.6, 0.35
PLUMBING_ROLES = frozenset({"settings", "commands", "main", "middleware", "utils", "constants", "exceptions"})
PLUMBING = frozenset(
    {
        *("asgi", "wsgi", "middleware", "middlewares", "management", "commands", "cli", "script", "scripts", "bin"),
        *("base", "common", "core", "helpers", "lib", "libs", "tools", "util", "utils", "compat", "decorators"),
        *("conf", "config", "settings", "logging", "exceptions", "cache", "db", "database", "migrations", "alembic"),
        *("i18n", "locale", "translation", "translations", "templatetags", "sitemaps", "fixtures", "testing"),
        *("vendor", "vendors"),
    }
)
"""Folders whose code serves other code, not the business."""


def size_prior(share: float, modules: int) -> float:
    """1 for parts of 1 to 15 % of the code; towards 0 for what is smaller, for few modules, for half of the code."""
    if share > 0.15:
        return max(0.0, 1 - (share - 0.15) / 0.35)
    return min(1.0, share / 0.01, modules / FEWEST_FOR_A_SERVICE)


def is_plumbing(path: str, role: str) -> bool:
    """Whether a module serves other code, by its role or by any folder it lies in."""
    return role in PLUMBING_ROLES or not PLUMBING.isdisjoint(path.lower().split("/")[:-1])


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
        poor.append(f"it writes {counted(borrowed, 'table')} of others")
    if torn:
        poor.append(f"{counted(torn, 'transaction')} would need a saga")
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
    "data": ("it keeps tables of its own", "it keeps no data of its own"),
    "business": ("it is about the business", "much of it is plumbing: settings, commands, helpers"),
}
