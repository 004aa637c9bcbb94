"""What a transaction touches in the functions that it calls."""

from __future__ import annotations

from pathlib import Path

from ramet.advisor.boundaries.torn import Tables
from ramet.advisor.facts import Facts
from tests.unit.advisor.code_base import facts_of

MODELS = "from django.db import models\nclass %s(models.Model): ...\n"
SHOP = {
    "shop/orders/models.py": MODELS % "Order",
    "shop/stock/models.py": MODELS % "Item",
    "shop/mail/models.py": MODELS % "Letter",
    "shop/stock/services.py": """\
        from .models import Item
        def reserve(sku):
            return _take(sku)
        def _take(sku):
            Item.objects.filter(sku=sku).update(left=0)
        """,
    "shop/mail/services.py": """\
        from .models import Letter
        class Post:
            def send(self):
                self._store()
            def _store(self):
                Letter.objects.create()
        """,
}


def reached(facts: Facts) -> list[tuple[str, int, str, bool, str]]:
    return [
        (one.transaction, one.place.line, one.table, one.writes, f"{one.access.path}:{one.access.line}")
        for one in facts.reached
    ]


def placing(tmp_path: Path, body: str) -> Facts:
    return facts_of(tmp_path, {**SHOP, "shop/orders/services.py": body})


def test_functions_are_followed_to_the_tables_they_touch(tmp_path: Path) -> None:
    facts = placing(
        tmp_path,
        """\
        from django.db import transaction
        from shop.stock import services
        from .models import Order
        @transaction.atomic
        def place(order):
            Order.objects.create()
            services.reserve(order.sku)
        """,
    )
    assert reached(facts) == [("place", 7, "stock_item", True, "shop/stock/services.py:5")]
    (torn,) = Tables(facts).torn({path for path in (one.path for one in facts.modules) if "/stock/" in path})
    assert (torn.place.line, torn.inside, torn.outside, torn.writes_both) == (
        6,
        ("stock_item",),
        ("orders_order",),
        True,
    )
    assert [(step.inside, step.do, f"{step.place.path}:{step.place.line}") for step in torn.saga] == [
        (False, "write orders_order", "shop/orders/services.py:6"),
        (True, "write stock_item", "shop/stock/services.py:5"),
    ]


def test_methods_of_the_same_class_are_followed(tmp_path: Path) -> None:
    facts = placing(
        tmp_path,
        """\
        from django.db import transaction
        from shop.mail.services import Post
        from shop.stock.services import reserve
        class Orders:
            def place(self):
                with transaction.atomic():
                    self._take()
                self._after()
            def _take(self):
                reserve(1)
            def _after(self):
                Post.send(None)
        """,
    )
    assert reached(facts) == [("Orders.place", 7, "stock_item", True, "shop/stock/services.py:5")]


def test_what_is_called_when_the_transaction_is_over_is_not_in_it(tmp_path: Path) -> None:
    facts = placing(
        tmp_path,
        """\
        from django.db import transaction
        from shop.stock.services import reserve
        @transaction.atomic
        def place(order):
            transaction.on_commit(lambda: reserve(order.sku))
        """,
    )
    assert reached(facts) == []


def test_a_function_that_commits_by_itself_is_not_part_of_the_transaction_of_its_caller(tmp_path: Path) -> None:
    facts = facts_of(
        tmp_path,
        {
            **SHOP,
            "shop/stock/late.py": """\
                from .models import Item
                def reserve(session):
                    session.add(Item())
                    session.commit()
                """,
            "shop/orders/services.py": """\
                from shop.stock import late, services
                from .models import Order
                def place(session):
                    session.add(Order())
                    late.reserve(session)
                    services.reserve(1)
                    session.commit()
                """,
        },
    )
    assert reached(facts) == [("place", 6, "stock_item", True, "shop/stock/services.py:5")]


def test_functions_that_call_each_other_in_a_circle_end(tmp_path: Path) -> None:
    facts = placing(
        tmp_path,
        """\
        from django.db import transaction
        from shop.stock.services import reserve
        @transaction.atomic
        def place(order):
            again(order)
        def again(order):
            place(order)
            reserve(order)
        """,
    )
    assert reached(facts) == [("place", 5, "stock_item", True, "shop/stock/services.py:5")]
