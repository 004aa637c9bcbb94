"""Units have in common what people changed in both; upgrades and machines couple nothing."""

from __future__ import annotations

from ramet.advisor.facts import Commit, Facts, Module, Place, Signal
from ramet.advisor.together import Together, together
from ramet.advisor.units import Units


def units(*commits: Commit) -> tuple[Together, ...]:
    modules = tuple(Module(path=f"{one}/app.py", name=one, lines=100) for one in ("orders", "stock"))
    signals = tuple(
        Signal(name="dockerfile", place=Place(path=f"{one}/Dockerfile", line=1)) for one in ("orders", "stock")
    )
    facts = Facts(root="x", modules=modules, signals=signals, commits=commits)
    return together(facts, Units(facts))


def commit(author: str, *files: str) -> Commit:
    return Commit(id="1", at=1.0, author=author, files=files)


def test_a_commit_of_both_counts_against_the_one_that_changes_less() -> None:
    alone = commit("Bob", "orders/app.py")
    (pair,) = units(commit("Ann", "orders/app.py", "stock/app.py"), alone, alone)
    assert (pair.commits, pair.share, pair.authors_alike) == (1, 1.0, 0.5)


def test_upgrades_of_libraries_and_images_couple_nothing() -> None:
    assert not units(commit("Ann", "orders/requirements.txt", "stock/requirements.txt"))
    assert not units(commit("Ann", "orders/Dockerfile", "stock/Dockerfile", "stock/poetry.lock"))


def test_what_a_machine_changes_couples_nothing() -> None:
    assert not units(commit("renovate[bot]", "orders/app.py", "stock/app.py"))
