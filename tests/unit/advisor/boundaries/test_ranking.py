"""What a score means."""

from __future__ import annotations

import pytest

from ramet.advisor.boundaries.ranking import WEIGHTS, is_plumbing, size_prior, strength, total
from ramet.advisor.finding import Strength


def test_the_weights_make_a_mean() -> None:
    assert sum(WEIGHTS.values()) == pytest.approx(1)
    assert total(dict.fromkeys(WEIGHTS, 0.5)).total == pytest.approx(0.5)


def test_all_good_and_well_known_is_strong() -> None:
    score = total(dict.fromkeys(WEIGHTS, 0.9))
    assert strength(score, 100)[0] is Strength.STRONG
    assert strength(score, 20)[0] is Strength.MODERATE
    assert strength(score, 9)[0] is Strength.WEAK


def test_what_speaks_against_it_is_among_the_reasons() -> None:
    how, reasons = strength(total({**dict.fromkeys(WEIGHTS, 0.9), "low_fan_in": 0.1}), 100)
    assert how is Strength.MODERATE
    assert "many other modules depend on it" in reasons


def test_writing_the_tables_of_others_is_never_strong() -> None:
    score = total(dict.fromkeys(WEIGHTS, 0.9))
    how, reasons = strength(score, 100, borrowed=2, torn=3)
    assert how is Strength.MODERATE
    assert reasons[-2:] == ("it writes 2 tables of others", "3 transactions would need a saga")


def test_poor_figures_are_weak() -> None:
    assert strength(total(dict.fromkeys(WEIGHTS, 0.1)), 100)[0] is Strength.WEAK


def test_mediocre_figures_are_weak_with_a_reason() -> None:
    how, reasons = strength(total(dict.fromkeys(WEIGHTS, 0.5)), 100)
    assert how is Strength.WEAK
    assert reasons


@pytest.mark.parametrize(
    ("share", "modules", "value"),
    [(0.005, 20, 0.5), (0.01, 20, 1), (0.1, 20, 1), (0.1, 4, 0.5), (0.5, 20, 0), (0.9, 20, 0)],
)
def test_a_part_is_neither_tiny_nor_half_of_everything(share: float, modules: int, value: float) -> None:
    assert size_prior(share, modules) == pytest.approx(value)


@pytest.mark.parametrize(
    ("path", "role", "plumbing"),
    [
        ("shop/orders/place.py", "", False),
        ("shop/orders/views.py", "views", False),
        ("shop/orders/settings.py", "settings", True),
        ("shop/orders/management/commands/place.py", "", True),
        ("shop/Middleware/place.py", "", True),
        ("shop/orders/middleware.py", "", False),
    ],
)
def test_plumbing_is_known_by_role_and_folder(path: str, role: str, plumbing: bool) -> None:
    assert is_plumbing(path, role) is plumbing
