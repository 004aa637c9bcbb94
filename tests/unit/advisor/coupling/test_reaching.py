"""Foreign writes and circles of parts, counted and worded as they are."""

from __future__ import annotations

from ramet.advisor.coupling.kinds import Coupled, Coupling, CouplingKind
from ramet.advisor.coupling.reaching import reaching
from ramet.advisor.facts import Place


def coupled(kind: CouplingKind, source: str, target: str, what: str, places: int) -> Coupled:
    where = tuple(Place(path=f"{source}/a.py", line=line) for line in range(1, places + 1))
    return Coupled(kind=kind, source=source, target=target, measure=float(places), what=what, places=where)


def found(*items: Coupled, services: bool = False) -> list[str]:
    return [one.message for one in reaching(Coupling(items=items, parts=(), ignored=()), services=services)]


def test_each_table_that_another_writes_is_a_finding_and_uses_are_none() -> None:
    writes = coupled(CouplingKind.DATA, "orders", "stock", "writes items", 1)
    uses = coupled(CouplingKind.DATA, "orders", "stock", "uses shelves", 4)
    assert found(writes, uses) == ["orders writes items of stock in 1 place."]


def test_tables_in_common_of_services_are_for_another_rule() -> None:
    assert not found(coupled(CouplingKind.DATA, "orders", "stock", "writes items", 1), services=True)


def test_parts_in_a_circle_are_one_finding_where_it_is_more_than_a_few_places() -> None:
    there = coupled(CouplingKind.DOMAIN, "orders", "stock", "calls f", 3)
    back = coupled(CouplingKind.DOMAIN, "stock", "orders", "calls g", 3)
    few = coupled(CouplingKind.DOMAIN, "stock", "orders", "calls g", 2)
    assert found(there, back) == ["2 parts need each other, directly or through others: orders and stock."]
    assert not found(there, few)


def test_a_part_that_holds_everybodys_tables_is_one_finding_and_other_foreign_writes_are_their_own() -> None:
    layer = [
        coupled(CouplingKind.DATA, "stock" if number % 2 else "orders", "db", f"writes t{number}", number + 1)
        for number in range(10)
    ]
    other = coupled(CouplingKind.DATA, "orders", "stock", "writes items", 1)
    assert found(*layer, other) == [
        "10 tables of db are written by 2 other parts: orders and stock.",
        "orders writes items of stock in 1 place.",
    ]
    assert len(found(*layer[1:])) == 9
