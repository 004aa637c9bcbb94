"""Which statements write."""

from __future__ import annotations

import pytest
from sqlalchemy import DDL, Column, Integer, MetaData, Table, delete, insert, literal, select, text, union, update
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.expression import Executable

from ramet.storage.statements import is_forbidden, writes

ITEM = Table("item", MetaData(), Column("id", Integer, primary_key=True))


class Base(DeclarativeBase):
    pass


class Item(Base):
    __table__ = ITEM


@pytest.mark.parametrize(
    "statement",
    [
        select(ITEM),
        union(select(ITEM), select(literal(1))),
        text("select 1"),
        text("  -- a comment\n /* another */ SELECT 1"),
        text("(select 1)"),
        text("with x as (select 1) select * from x"),
        text("values (1)"),
        text("explain query plan select 1"),
        text("pragma table_info(item)"),
        text("select id from item").columns(ITEM.c.id),
        select(Item).from_statement(text("select id from item")),
    ],
    ids=str,
)
def test_what_surely_reads(statement: Executable) -> None:
    assert not writes(statement)


@pytest.mark.parametrize(
    "statement",
    [
        insert(ITEM),
        insert(ITEM).returning(ITEM.c.id),
        update(ITEM),
        delete(ITEM),
        select(ITEM).with_for_update(),
        select(Item).from_statement(update(Item).returning(Item)),
        text("update item set id = 1"),
        text("with x as (select 1) insert into item select * from x"),
        text("insert into item values (1) returning id").columns(ITEM.c.id),
        text("pragma user_version = 3"),
        text("pragma user_version(3)"),
        text("create index a on item (id)"),
        text(""),
        DDL("drop table item"),
    ],
    ids=str,
)
def test_what_may_write(statement: Executable) -> None:
    assert writes(statement)


@pytest.mark.parametrize(
    ("sql", "forbidden"),
    [
        ("commit", True),
        ("PRAGMA x=1", True),
        ("PRAGMA query_only(0)", True),
        ("PRAGMA main.foreign_keys (OFF)", True),
        ("PRAGMA foreign_key_check(item)", False),
        ("PRAGMA main . index_list(item)", False),
        ("PRAGMA foreign_keys", False),
        ("select 1", False),
    ],
)
def test_what_is_nobodys_business(sql: str, forbidden: bool) -> None:
    assert is_forbidden(text(sql)) is forbidden
    assert is_forbidden(text(sql).columns(ITEM.c.id)) is forbidden
