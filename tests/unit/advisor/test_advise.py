"""The whole advice, where it is more than the sum of its parts."""

from __future__ import annotations

from pathlib import Path

from ramet.advisor.advise import advise
from ramet.advisor.readiness.score import Answers
from tests.unit.advisor.code_base import Repository, facts_of

NO_ROUTE = "No route, message, table or deployment was found: a library is released whole, and needs no services."
LIBRARY = {"pyproject.toml": "[project]\n", "src/x/__init__.py": "", "src/x/a.py": "def go(): ...\n"}


def test_what_looks_like_a_library_is_said_to(tmp_path: Path) -> None:
    assert NO_ROUTE in advise(facts_of(tmp_path / "library", LIBRARY), Answers()).caveats
    deployed = {**LIBRARY, "Dockerfile": "FROM python\n"}
    assert NO_ROUTE not in advise(facts_of(tmp_path / "deployed", deployed), Answers()).caveats


def test_pieces_of_several_services_are_no_candidate(tmp_path: Path) -> None:
    files = {
        f"all/{service}/{name}.py": f"from {name} import order_{name}\n" + f"def order_{name}(): ...\n" * 30
        for service in ("orders", "stock")
        for name in "abcdefgh"
    }
    images = {f"all/{service}/Dockerfile": "FROM python\n" for service in ("orders", "stock")}
    found = advise(facts_of(tmp_path, {**files, **images}), Answers())
    assert found.counts.services == 2
    assert found.candidates == ()


def test_where_nobody_works_regularly_the_team_is_unknown(tmp_path: Path) -> None:
    Repository(tmp_path).commit("One", LIBRARY)
    assert advise(facts_of(tmp_path, {}), Answers()).readiness.team is None
