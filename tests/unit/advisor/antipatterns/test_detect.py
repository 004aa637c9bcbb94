"""Each anti-pattern is found where it is, with its evidence, and not where it is not."""

from __future__ import annotations

import msgspec
import pytest

from ramet.advisor.antipatterns.detect import antipatterns
from ramet.advisor.antipatterns.rules import RULES
from ramet.advisor.facts import Access, Call, Facts, Signal
from ramet.advisor.finding import Finding, Severity, Strength
from tests.unit.advisor.invented import SERVICES, asks, at, commit, module, shop


def found(facts: Facts, rule: str, *, developers: int | None = 30) -> list[Finding]:
    return [one for one in antipatterns(facts, developers=developers) if one.rule == rule]


def test_sound_services_have_no_findings_but_missing_operations() -> None:
    assert {one.rule for one in antipatterns(shop(), developers=30)} == {"no-operations"}


def test_operations_that_are_there_are_not_missed() -> None:
    seen = tuple(Signal(name=name, place=at("ci.yml")) for name in ("ci", "metrics", "error-tracking"))
    assert not found(shop(signals=(*shop().signals, *seen)), "no-operations")


def test_more_services_than_people_can_look_after() -> None:
    names = [f"service{n}" for n in range(6)]
    facts = Facts(
        root="many",
        modules=tuple(module(f"{name}/app.py") for name in names),
        signals=tuple(Signal(name="dockerfile", place=at(f"{name}/Dockerfile")) for name in names),
    )
    (finding,) = found(facts, "too-many-services", developers=4)
    assert finding.message == "6 services for 4 developers: 1.5 for each of them."
    assert finding.severity is Severity.ERROR
    assert not found(facts, "too-many-services", developers=12)
    assert not found(facts, "too-many-services", developers=None)


def test_services_that_change_together_and_ask_each_other() -> None:
    commits = tuple(commit(n, "orders/app.py", "stock/app.py") for n in range(12))
    (finding,) = found(shop(commits=commits), "distributed-monolith")
    assert finding.subject == ("orders", "stock")
    assert finding.strength is Strength.STRONG
    assert finding.places == (at("orders/app.py", 30),)
    assert found(shop(commits=commits[:9]), "distributed-monolith") == []


def test_large_commits_say_nothing_about_coupling() -> None:
    files = tuple(f"{name}/f{n}.py" for name in SERVICES for n in range(11))
    assert not found(shop(commits=tuple(commit(n, *files) for n in range(40))), "distributed-monolith")


def test_a_table_that_two_services_write_is_an_error() -> None:
    more = Access(path="mail/app.py", line=77, table="orders", writes=True)
    (finding,) = found(shop(accesses=(*shop().accesses, more)), "shared-database")
    assert finding.message == "The table orders is used by mail and orders; mail and orders write it."
    assert finding.severity is Severity.ERROR
    assert at("mail/app.py", 77) in finding.places


def test_a_monolith_shares_its_tables_with_nobody() -> None:
    assert not found(shop(signals=()), "shared-database")


@pytest.mark.parametrize(
    "target", ["http://orders:8000/x", "settings.ORDERS_URL", "ORDER_SERVICE_BASE_URL", "orders-api"]
)
def test_services_that_ask_each_other_are_a_circle(target: str) -> None:
    (finding,) = found(shop(requests=(*shop().requests, asks("stock", target, 31))), "cyclic-services")
    assert finding.subject == ("orders", "stock")
    assert finding.places == (at("orders/app.py", 30), at("stock/app.py", 31))


def test_many_calls_for_each_request_are_chatter() -> None:
    traffic = (
        Call(source="edge", target="orders", operation="place", count=10, mean_ms=5.0),
        Call(source="orders", target="stock", operation="get", count=150, mean_ms=2.0),
    )
    (finding,) = found(shop(traffic=traffic), "chatty-services")
    assert "15.0 times for each request it served" in finding.message


def test_many_places_that_ask_are_weak_evidence_of_chatter() -> None:
    (finding,) = found(
        shop(requests=tuple(asks("orders", "http://stock/x", n) for n in range(1, 12))), "chatty-services"
    )
    assert finding.strength is Strength.WEAK


def test_a_zoo_of_brokers() -> None:
    seen = tuple(
        Signal(name="broker", place=at("orders/app.py"), detail=one) for one in ("kafka", "nats", "redis", "sqs")
    )
    (finding,) = found(shop(signals=(*shop().signals, *seen)), "technology-zoo")
    assert finding.message == "4 kinds of broker: kafka, nats, redis and sqs."


def test_a_service_that_only_forwards() -> None:
    facts = shop()
    tables = tuple(one for one in facts.tables if one.name != "mail")
    asked = tuple(asks("mail", "http://stock/x", n) for n in (40, 41, 42))
    (finding,) = found(shop(tables=tables, requests=asked), "pass-through-service")
    assert finding.subject == ("mail",)
    assert not found(shop(requests=asked), "pass-through-service")


def test_a_small_service_that_one_other_asks() -> None:
    facts = shop()
    modules = tuple(
        msgspec.structs.replace(one, lines=60) if one.path.startswith("stock") else one for one in facts.modules
    )
    routes = tuple(one for one in facts.routes if not one.place.path.startswith("stock"))
    (finding,) = found(shop(modules=modules, routes=routes), "nano-service")
    assert finding.message == "stock has 120 lines, 0 routes and one caller, orders."


def test_what_has_several_reasons_to_be_one() -> None:
    facts = shop()
    commits = tuple(commit(n, "orders/app.py", "stock/app.py") for n in range(12))
    more = Access(path="stock/app.py", line=5, table="orders", writes=False)
    (finding,) = found(shop(commits=commits, accesses=(*facts.accesses, more)), "merge")
    assert finding.message == (
        "orders and stock are better joined: they change together (100%); they share 1 table (orders); "
        "the same people change them."
    )


def test_every_finding_has_a_rule_that_explains_it() -> None:
    assert {one.rule for one in antipatterns(shop(), developers=1)} <= {rule.id for rule in RULES}
    assert len({rule.id for rule in RULES}) == len(RULES)
