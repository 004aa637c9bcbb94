"""Tables, who reads and writes them, and in which transaction."""

from __future__ import annotations

from pathlib import Path

import pytest

from ramet.advisor.facts import Facts
from tests.unit.advisor.code_base import facts_of


def accesses(facts: Facts) -> set[tuple[str, int, str, bool, str]]:
    return {(one.path, one.line, one.table, one.writes, one.transaction) for one in facts.accesses}


def test_django_models_have_their_tables_and_foreign_keys(tmp_path: Path) -> None:
    facts = facts_of(
        tmp_path,
        {
            "shop/users/models.py": """\
                from django.contrib.auth.models import AbstractUser
                class User(AbstractUser):
                    class Meta:
                        db_table = "people"
                """,
            "shop/base.py": """\
                from django.db import models
                class Owned(models.Model):
                    owner = models.ForeignKey("settings.AUTH_USER_MODEL", models.CASCADE)
                    class Meta:
                        abstract = True
                """,
            "shop/orders/models.py": """\
                from django.conf import settings
                from django.db import models
                from shop.base import Owned
                class Order(Owned):
                    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
                    parent = models.ForeignKey("self", models.CASCADE)
                class Line(models.Model):
                    order = models.ForeignKey(Order, models.CASCADE)
                    sku = models.ForeignKey("stock.Sku", models.CASCADE)
                class Recent(Order):
                    class Meta:
                        proxy = True
                class Manager(models.Manager): ...
                """,
            "shop/stock/apps.py": "class Stock(AppConfig):\n    name = 'shop.stock'\n    label = 'stock'\n",
            "shop/stock/models/sku.py": "from django.db.models import Model\nclass Sku(Model): ...\n",
        },
    )
    found = {
        one.name: (one.references, tuple((at.path, at.line) for at in one.reference_places)) for one in facts.tables
    }
    orders, base = "shop/orders/models.py", "shop/base.py"
    assert found == {
        "people": ((), ()),
        "orders_order": (("orders_order", "people", "people"), ((orders, 6), (base, 3), (orders, 5))),
        "orders_line": (("orders_order", "stock_sku"), ((orders, 8), (orders, 9))),
        "stock_sku": ((), ()),
    }


def test_reads_and_writes_of_django_models_are_found_with_their_transactions(tmp_path: Path) -> None:
    facts = facts_of(
        tmp_path,
        {
            "orders/models.py": "from django.db import models\nclass Order(models.Model): ...\n",
            "web.py": """\
                from django.db import transaction
                from orders.models import Order

                @transaction.atomic
                def place():
                    return Order.objects.create()

                def pay(order: "Order | None"):
                    with transaction.atomic():
                        order.save()

                def look():
                    found = Order.objects.filter(x=1).select_related("y")
                    for one in found:
                        one.delete()
                    found.update(x=2)
                """,
        },
    )
    assert accesses(facts) == {
        ("web.py", 6, "orders_order", True, "place"),
        ("web.py", 10, "orders_order", True, "pay"),
        ("web.py", 13, "orders_order", False, ""),
        ("web.py", 15, "orders_order", True, ""),
        ("web.py", 16, "orders_order", True, ""),
    }


def test_sqlalchemy_and_sqlmodel_tables_are_found_with_their_accesses(tmp_path: Path) -> None:
    facts = facts_of(
        tmp_path,
        {
            "tables.py": """\
                from sqlalchemy import Column, ForeignKey, Table
                from sqlalchemy.orm import DeclarativeBase
                from sqlmodel import Field, SQLModel
                class Base(DeclarativeBase): ...
                class User(Base):
                    __tablename__ = "users"
                class Order(Base):
                    __tablename__ = "orders"
                    user = Column(ForeignKey("users.id"))
                links = Table("links", metadata, Column("order", ForeignKey("orders.id")))
                class Hero(SQLModel, table=True):
                    order: int = Field(foreign_key="orders.id")
                class Plain(SQLModel): ...
                """,
            "work.py": """\
                from sqlalchemy import insert, select
                from tables import Order, User, links
                def report(session):
                    return session.execute(select(User.id, Order.total))
                def place(session):
                    order = Order()
                    session.add(order)
                    session.execute(insert(links))
                    session.commit()
                def count(session):
                    return session.query(User).count()
                """,
        },
    )
    references = {one.name: (one.framework, one.references) for one in facts.tables}
    assert references == {
        "users": ("sqlalchemy", ()),
        "orders": ("sqlalchemy", ("users",)),
        "links": ("sqlalchemy", ("orders",)),
        "hero": ("sqlmodel", ("orders",)),
    }
    assert accesses(facts) == {
        ("work.py", 4, "users", False, ""),
        ("work.py", 4, "orders", False, ""),
        ("work.py", 7, "orders", True, "place"),
        ("work.py", 8, "links", True, "place"),
        ("work.py", 11, "users", False, ""),
    }


def test_tables_in_sql_are_read_or_written(tmp_path: Path) -> None:
    pytest.importorskip("sqlglot")
    facts = facts_of(
        tmp_path,
        {
            "report.py": """\
                cursor.execute("SELECT a.x FROM accounts a JOIN bills b ON a.id = b.account WHERE a.id = %s", [1])
                cursor.execute("INSERT INTO audit (a) SELECT id FROM accounts")
                print("Select one from the list below, please")
                """
        },
    )
    assert {one.name: one.framework for one in facts.tables} == {"accounts": "sql", "bills": "sql", "audit": "sql"}
    assert accesses(facts) == {
        ("report.py", 1, "accounts", False, ""),
        ("report.py", 1, "bills", False, ""),
        ("report.py", 2, "accounts", False, ""),
        ("report.py", 2, "audit", True, ""),
    }


def test_a_table_that_only_sql_speaks_of_is_at_home_where_most_writes_it(tmp_path: Path) -> None:
    facts = facts_of(
        tmp_path,
        {
            "contrib/import.py": "db('INSERT INTO ticket (id) VALUES (1)')\n" * 3,
            "core/report.py": "db('SELECT id FROM ticket')\n" * 2,
            "core/ticket.py": "x = 1\ndb('SELECT id FROM ticket')\ndb('UPDATE ticket SET id = 2')\n",
        },
    )
    assert [(one.name, one.place.path, one.place.line) for one in facts.tables] == [("ticket", "core/ticket.py", 2)]


def test_tables_of_one_name_in_two_schemas_are_two(tmp_path: Path) -> None:
    facts = facts_of(
        tmp_path,
        {
            "a.py": """\
                from sqlalchemy import Column, ForeignKey
                from base import db
                class Edit(db.Model):
                    __tablename__ = "revisions"
                    __table_args__ = (db.CheckConstraint("x"), {"schema": "editing"})
                class Paper(db.Model):
                    __tablename__ = "revisions"
                    __table_args__ = {"schema": "papers"}
                class Note(db.Model):
                    __tablename__ = "notes"
                    __table_args__ = {"schema": "papers"}
                    paper = Column(ForeignKey("papers.revisions.id"))
                """,
            "b.py": """\
                one = "UPDATE editing.revisions SET x = 1 WHERE y = 2"
                two = "SELECT text FROM notes WHERE y = 2"
                three = "SELECT text FROM public.others WHERE y = 2"
                """,
        },
    )
    assert {one.name: one.references for one in facts.tables} == {
        "editing.revisions": (),
        "papers.revisions": (),
        "papers.notes": ("papers.revisions",),
        "others": (),
    }
    assert accesses(facts) == {
        ("b.py", 1, "editing.revisions", True, ""),
        ("b.py", 2, "papers.notes", False, ""),
        ("b.py", 3, "others", False, ""),
    }
