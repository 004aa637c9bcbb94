"""The five signs say what was measured, and nothing where there is nothing to measure."""

from __future__ import annotations

from ramet.advisor.facts import Call, Facts, Signal
from ramet.advisor.history.delivery import delivery
from ramet.advisor.readiness.indicators import Indicator, indicators, own_time
from tests.unit.advisor.invented import DAY, NOW, at, commit, imports, module


def sign(facts: Facts, name: str) -> Indicator:
    return next(one for one in indicators(facts, delivery(facts)) if one.name == name)


def test_nothing_is_known_of_nothing() -> None:
    facts = Facts(root="r")
    known = {one.name: one.points for one in indicators(facts, delivery(facts))}
    assert known == {
        "deployment bottleneck": None,
        "scaling": None,
        "conflict": None,
        "technology": False,
        "failure impact": None,
    }


def test_many_changes_wait_for_few_releases() -> None:
    commits = tuple(commit(n, "a.py", days_ago=n / 10) for n in range(3000))
    tags = tuple((f"v1.{n}", NOW - n * 100 * DAY) for n in range(4))
    found = sign(Facts(root="r", commits=commits, tags=tags), "deployment bottleneck")
    assert found.points
    assert "changes wait for each release" in found.evidence


def test_a_part_with_most_of_the_work() -> None:
    traffic = tuple(
        Call(source="edge", target=name, operation="x", count=count, mean_ms=1.0)
        for name, count in (("search", 900), ("cart", 50), ("mail", 10))
    )
    assert sign(Facts(root="r", traffic=traffic), "scaling").points


def test_who_waits_for_others_does_not_work() -> None:
    def called(source: str, target: str, mean_ms: float) -> Call:
        return Call(source=source, target=target, operation="x", count=10, mean_ms=mean_ms)

    traffic = (called("edge", "web", 100.0), called("web", "cart", 90.0), called("web", "mail", 2.0))
    assert own_time(traffic) == {"web": 80, "cart": 900, "mail": 20}
    assert sign(Facts(root="r", traffic=traffic), "scaling").evidence.startswith("cart has 90%")


def test_files_that_everybody_changes() -> None:
    commits = tuple(commit(n, "a.py", author=f"dev{n}") for n in range(9))
    found = sign(Facts(root="r", modules=(module("a.py"),), commits=commits), "conflict")
    assert (found.points, found.places) == (True, (at("a.py"),))


def test_files_that_nobody_changed_tell_nothing() -> None:
    facts = Facts(root="r", modules=(module("a.py"),), commits=(commit(1, "b.txt"),))
    assert sign(facts, "conflict").points is None


def test_other_languages_are_named() -> None:
    seen = tuple(Signal(name="language", place=at("x"), detail=one) for one in ("Go", "Java", "Rust"))
    assert sign(Facts(root="r", signals=seen), "technology").evidence == "besides Python there is go, java, rust"


def test_a_module_that_everything_needs() -> None:
    modules = tuple(module(f"m{n}.py") for n in range(30))
    edges = tuple(imports(f"m{n}.py", "m0.py") for n in range(1, 12))
    found = sign(Facts(root="r", modules=modules, edges=edges), "failure impact")
    assert (found.points, found.places) == (True, (at("m0.py"),))
