"""What couples parts, named and located."""

from __future__ import annotations

from pathlib import Path

from ramet.advisor.coupling.find import find_coupling
from ramet.advisor.coupling.kinds import Coupled, CouplingKind
from ramet.advisor.facts import Commit, Facts, Module
from tests.unit.advisor.code_base import facts_of


def found(items: tuple[Coupled, ...], kind: CouplingKind) -> list[tuple[str, str, str, tuple[tuple[str, int], ...]]]:
    return [
        (one.source, one.target, one.what, tuple((at.path, at.line) for at in one.places))
        for one in items
        if one.kind is kind
    ]


def parts_of(facts: Facts) -> dict[str, str]:
    return {one.path: one.path.partition("/")[0] for one in facts.modules}


def test_tables_and_foreign_keys_of_others_are_data_coupling(tmp_path: Path) -> None:
    facts = facts_of(
        tmp_path,
        {
            "orders/models.py": "from django.db import models\nclass Order(models.Model): ...\n",
            "bills/models.py": """\
                from django.db import models
                class Bill(models.Model):
                    order = models.ForeignKey("orders.Order", models.CASCADE)
                """,
            "bills/logic.py": "from orders.models import Order\nOrder.objects.create()\nOrder.objects.get()\n",
            "bills/tests/test_logic.py": "from orders.models import Order\nOrder.objects.create()\n",
            "orders/logic.py": "from orders.models import Order\nOrder.objects.create()\n",
        },
    )
    coupling = find_coupling(facts, parts_of(facts))
    assert found(coupling.items, CouplingKind.DATA) == [
        ("bills", "orders", "bills_bill has a foreign key to orders_order", (("bills/models.py", 3),)),
        ("bills", "orders", "uses orders_order", (("bills/logic.py", 3),)),
        ("bills", "orders", "writes orders_order", (("bills/logic.py", 2),)),
    ]
    assert coupling.matrix()["bills", "orders"]["data"] == 3


def test_calls_across_are_domain_coupling_and_what_only_passes_through_is_temporary(tmp_path: Path) -> None:
    facts = facts_of(
        tmp_path,
        {
            "web/views.py": "from orders.logic import place\ndef view(card): place(1, card)\n",
            "orders/logic.py": "from bank.pay import charge\ndef place(o, card):\n    print(o)\n    charge(card)\n",
            "bank/pay.py": "def charge(card): print(card)\n",
        },
    )
    coupling = find_coupling(facts, parts_of(facts))
    assert found(coupling.items, CouplingKind.DOMAIN) == [
        ("orders", "bank", "calls charge of bank/pay.py", (("orders/logic.py", 4),)),
        ("web", "orders", "calls place of orders/logic.py", (("web/views.py", 2),)),
    ]
    what = "place carries `card` from web to bank and does not use it"
    assert found(coupling.items, CouplingKind.TEMPORARY) == [("orders", "bank", what, (("orders/logic.py", 4),))]
    assert [(one.name, one.fan_in, one.fan_out) for one in coupling.parts] == [
        ("bank", 1, 0),
        ("orders", 1, 1),
        ("web", 0, 1),
    ]


def test_files_that_change_together_and_people_on_both_sides_couple() -> None:
    def commit(number: int, author: str, *files: str) -> Commit:
        return Commit(id=str(number), at=float(-number), author=author, files=files)

    together = [commit(number, "Ann", "a/x.py", "b/y.py") for number in range(6)]
    alone = [commit(10 + number, "Bo", "a/x.py") for number in range(4)]
    large = commit(20, "Cy", "a/x.py", "b/y.py", *(f"z{number}" for number in range(40)))
    modules = tuple(Module(path=path, name="", lines=1) for path in ("a/x.py", "b/y.py"))
    facts = Facts(root="r", modules=modules, commits=(*together, *alone, large))
    coupling = find_coupling(facts, parts_of(facts))
    assert [(one.kind.value, one.source, one.target, one.measure) for one in coupling.items] == [
        ("change", "a", "b", 75.0),  # 100 * 6 / ((10 + 6) / 2)
        ("team", "a", "b", 50.0),
    ]
    assert coupling.ignored == ("1 commits of more than 30 files were ignored",)


def test_tables_of_one_name_in_two_parts_are_each_ones_own(tmp_path: Path) -> None:
    imports = "from sqlalchemy import Column, Integer, MetaData, Table\n"
    table = f'{imports}customers = Table("customers", MetaData(), Column("id", Integer))\n'
    use = "from {0}.tables import customers\ndef add(session):\n    session.execute(customers.insert())\n"
    files = {f"{part}/tables.py": table for part in ("bills", "mail")}
    files |= {f"{part}/logic.py": use.format(part) for part in ("bills", "mail")}
    facts = facts_of(tmp_path, files)
    assert len(facts.accesses) == 2
    assert found(find_coupling(facts, parts_of(facts)).items, CouplingKind.DATA) == []
