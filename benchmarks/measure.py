"""Pure: figures of several rounds, what they are compared with, and what they have to reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

import msgspec


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What a measure has to reach: a limit of its own value, or of its ratio to the peer."""

    limit: float
    sense: Literal["≤", "≥"]
    of: Literal["value", "ratio"] = "value"

    def __str__(self) -> str:
        return f"{self.sense} {self.limit:g}{'×' if self.of == 'ratio' else ''}"


def at_most(limit: float) -> Target:
    """The value has to stay at or below a limit."""
    return Target(limit=limit, sense="≤")


def times_peer(limit: float) -> Target:
    """The value has to be this many times the peer's, or more."""
    return Target(limit=limit, sense="≥", of="ratio")


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a result file. Values are medians over the rounds; the ratio is the median of the rounds' ratios.

    A ratio is value divided by peer_value. `target` and `met` are there where a measure has one.
    """

    measure: str
    value: float
    unit: str
    peer: str | None
    peer_value: float | None
    ratio: float | None
    rounds: int
    date: str
    machine: str
    minimum: float
    maximum: float
    target: str | None = None
    met: bool | None = None


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """When and where a run was made."""

    date: str
    machine: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """The figures of one contender, one for each round."""

    name: str
    values: Sequence[float]


def compare(
    measure: str, unit: str, own: Sequence[float], peer: Series | None, *, target: Target | None, stamp: Stamp
) -> Row:
    """The row that says how our figures stand beside a peer's of the same rounds."""
    value = median(own)
    ratio = median(mine / theirs for mine, theirs in zip(own, peer.values, strict=True)) if peer else None
    return Row(
        measure=measure,
        value=_short(value),
        unit=unit,
        peer=peer.name if peer else None,
        peer_value=_short(median(peer.values)) if peer else None,
        ratio=_short(ratio) if ratio is not None else None,
        rounds=len(own),
        date=stamp.date,
        machine=stamp.machine,
        minimum=_short(min(own)),
        maximum=_short(max(own)),
        target=str(target) if target else None,
        met=_is_met(target, value, ratio) if target else None,
    )


def _is_met(target: Target, value: float, ratio: float | None) -> bool:
    reached = value if target.of == "value" else ratio
    assert reached is not None, "a target of the ratio needs a peer"
    return reached <= target.limit if target.sense == "≤" else reached >= target.limit


def _short(value: float) -> float:
    """Four significant digits: more would be noise."""
    return float(f"{value:.4g}")
