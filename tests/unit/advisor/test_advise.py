"""The whole advice, where it is more than the sum of its parts."""

from __future__ import annotations

from pathlib import Path

from ramet.advisor.advise import advise
from ramet.advisor.facts import Facts
from ramet.advisor.read import ReadOptions, read_facts
from ramet.advisor.readiness.score import Answers, Verdict
from tests.unit.advisor.code_base import Repository, facts_of

NO_ROUTE = "No route, message, table or deployment was found: a library is released whole, and needs no services."
LIBRARY = {"pyproject.toml": "[project]\n", "src/x/__init__.py": "", "src/x/a.py": "def go(): ...\n"}


def facts_of_repository(root: Path) -> Facts:
    """With its history."""
    return read_facts(root, options=ReadOptions(cache=None))


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


def shop_of(modules: int) -> dict[str, str]:
    """Three services of Ramet, the first with so many modules, a half of which is a folder of its own."""
    names = [f"m{number}" for number in range(modules // 2)]
    files = {
        f"shop/orders/{folder}{name}.py": f"from shop.orders.{folder.replace('/', '.')}m0 import m0_order\n" * 9
        + f"def {name}_order(): ...\n" * 30
        for folder in ("", "paper/")
        for name in names
    }
    files |= {f"shop/{part}/{name}.py": f"from shop.{part} import a\n" for part in ("stock", "web") for name in "abcd"}
    contracts = {f"shop/{part}/contract.py": "from ramet import Contract, query\n" for part in ("orders", "stock")}
    return {**files, **contracts, "shop/web/api.py": "from ramet import Api\n", "shop/tests/a.py": ""}


def test_services_of_ramet_are_known_boundaries_and_only_large_ones_are_looked_into(tmp_path: Path) -> None:
    small = advise(facts_of(tmp_path / "small", shop_of(20)), Answers())
    assert small.candidates == ()
    assert small.caveats[0].startswith(
        "It is split already, into 3 services of Ramet (shop/orders, shop/stock and shop/web), each of which may run"
    )
    large = advise(facts_of(tmp_path / "large", shop_of(100)), Answers())
    assert {path.split("/")[1] for one in large.candidates for path in one.modules} == {"orders"}


def test_without_several_contracts_nothing_is_taken_for_split(tmp_path: Path) -> None:
    files = {f"shop/{part}/{name}.py": f"from shop.{part} import b\n" for part in "xyz" for name in "abcd"}
    one = {"shop/x/contract.py": "from ramet import Contract\n", "tests/test_x.py": "from ramet import Contract\n"}
    found = advise(facts_of(tmp_path, {**files, **one, "manage.py": ""}), Answers())
    assert found.candidates
    assert not any("split already" in caveat for caveat in found.caveats)


SERVICES = {
    **{f"{name}/main.py": "import requests\n" + "x = 1\n" * 40 for name in ("orders", "stock")},
    **{f"{name}/Dockerfile": "FROM python\n" for name in ("orders", "stock")},
    "orders/client.py": "import requests\n" + "requests.get('http://stock/left')\n" * 3,
}


def test_what_couples_services_is_mended_first_and_their_boundaries_are_not_judged(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    for number in range(45):
        changes = {f"{name}/main.py": SERVICES[f"{name}/main.py"] + f"y = {number}\n" for name in ("orders", "stock")}
        repository.commit(f"Change {number}", {**SERVICES, **changes})
    found = advise(facts_of_repository(tmp_path), Answers())
    assert found.steps[0].title == "Join what cannot live alone"
    assert found.steps[0].lines[0].startswith("orders and stock are better joined: ")
    assert not any(step.title.startswith("Agree on boundaries") for step in found.steps)
    (judged,) = [one for one in found.readiness.items if one.id == "domain-boundaries"]
    assert judged.verdict is Verdict.UNKNOWN
    assert [(one.row, one.column, one.weight) for one in found.matrix.cells] == [("orders", "stock", 3)]


def test_without_a_history_clear_boundaries_are_unknown_and_no_effort_is_nothing(tmp_path: Path) -> None:
    files = {f"shop/{part}/{name}.py": f"from shop.{part} import b\n" for part in "xyz" for name in "abcd"}
    found = advise(facts_of(tmp_path, {**files, "manage.py": ""}), Answers())
    assert {one.id: one.verdict for one in found.readiness.items}["domain-boundaries"] is Verdict.UNKNOWN
    assert "History has no more than 0 commits: what changes together is weak evidence." in found.caveats
    assert found.candidates
    assert min(one.effort.least for one in found.candidates) >= 1


def test_a_library_has_no_part_that_would_make_a_service(tmp_path: Path) -> None:
    files = {f"src/{part}/{name}.py": f"from {part} import b\n" for part in "xyz" for name in "abcd"}
    assert advise(facts_of(tmp_path, {**files, "pyproject.toml": "[project]\n"}), Answers()).candidates == ()


def test_where_nobody_works_regularly_the_team_is_unknown(tmp_path: Path) -> None:
    Repository(tmp_path).commit("One", LIBRARY)
    assert advise(facts_of(tmp_path, {}), Answers()).readiness.team is None
