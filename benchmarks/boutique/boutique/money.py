"""Pure: sums, multiples and conversion of money, as Online Boutique does them."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor

from boutique.values import Money

BILLION = 1_000_000_000


def plus(left: Money, right: Money) -> Money:
    """A sum. Raises: ValueError where the currencies differ."""
    if left.currency_code != right.currency_code:
        raise ValueError(f"{left.currency_code} and {right.currency_code} have no sum")
    total = (left.units + right.units) * BILLION + left.nanos + right.nanos
    units = abs(total) // BILLION * (1 if total >= 0 else -1)
    return Money(currency_code=left.currency_code, units=units, nanos=total - units * BILLION)


def times(money: Money, count: int) -> Money:
    """So many times the value, added up one by one as the original does."""
    total = money
    for _ in range(count - 1):
        total = plus(total, money)
    return total


def convert(money: Money, to_code: str, rates: Mapping[str, float]) -> Money:
    """By way of euros, in floating point. Raises: KeyError for a currency without a rate."""
    source, target = rates[money.currency_code], rates[to_code]
    units, nanos = _carry(money.units / source, money.nanos / source)
    units, nanos = _carry(units * target, round(nanos) * target)
    return Money(currency_code=to_code, units=floor(units), nanos=floor(nanos))


def _carry(units: float, nanos: float) -> tuple[float, float]:
    nanos += units % 1 * BILLION
    return floor(units) + floor(nanos / BILLION), nanos % BILLION
