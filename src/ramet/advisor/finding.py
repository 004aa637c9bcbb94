"""Pure: a finding: what is wrong or worth doing, where, how sure that is, and what mends it."""

from __future__ import annotations

import hashlib
from enum import StrEnum

from ramet.advisor.facts import Fact, Place


class Severity(StrEnum):
    """How much it matters; the levels of SARIF."""

    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


class Strength(StrEnum):
    """How strong the evidence is."""

    WEAK = "weak"
    MODERATE = "moderate"
    STRONG = "strong"


class Rule(Fact):
    """A kind of finding: what it looks for, why that matters, and what mends it in general."""

    id: str
    title: str
    why: str
    remedy: str


class Finding(Fact):
    """One finding. `measure` is what was found and `threshold` what would have been fine, in the rule's own unit.

    `subject` names what it is about (parts, a table, a rule of the team), and never a line number: together with the
    rule it is what a baseline remembers.
    """

    rule: str
    subject: tuple[str, ...]
    message: str
    severity: Severity = Severity.WARNING
    strength: Strength = Strength.MODERATE
    places: tuple[Place, ...] = ()
    measure: float | None = None
    threshold: float | None = None

    @property
    def fingerprint(self) -> str:
        """What stays the same when lines move: 16 hexadecimal digits of the rule and its subject."""
        return hashlib.sha256("\n".join((self.rule, *self.subject)).encode()).hexdigest()[:16]


def in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    """The gravest first, then by rule and subject: the same findings always in the same order."""
    rank = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}
    return tuple(sorted(findings, key=lambda one: (rank[one.severity], one.rule, one.subject)))
