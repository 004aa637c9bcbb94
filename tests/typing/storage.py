"""Statements keep their types through `Database`."""

from typing import assert_type

from sqlalchemy import CursorResult, ScalarResult, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ramet import Database


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


async def statements(db: Database) -> None:
    assert_type(await db.execute(select(Item.id, Item.name)), CursorResult[int, str])
    assert_type((await db.execute(update(Item).values(name="tea"))).rowcount, int)
    assert_type(await db.scalar(select(Item.name)), str | None)
    assert_type(await db.scalars(select(Item)), ScalarResult[Item])
    assert_type((await db.scalars(select(Item))).all()[0].name, str)
    await db.execute(text("SELECT 1"), {"a": 1})


async def sessions(db: Database) -> None:
    async with db.session() as session:
        assert_type(session, AsyncSession)
        assert_type(await session.get_one(Item, 1), Item)
