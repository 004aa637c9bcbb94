"""What every storage must do with ORM sessions."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ramet.errors import EffectInQuery, OutsideWork, StorageError, UsageError
from ramet.storage.base import Conflict, Storage, Unit


class Base(DeclarativeBase):
    """The suite's models."""


class Item(Base):
    """The suite's table, mapped."""

    __tablename__ = "suite_item"
    id: Mapped[int] = mapped_column(primary_key=True)
    n: Mapped[int]


async def items(storage: Storage) -> list[tuple[int, int]]:
    """What is committed."""
    return [(row[0], row[1]) for row in await storage.fetch("SELECT id, n FROM suite_item ORDER BY id")]


async def _undone(unit: Unit, begun: asyncio.Event, written: asyncio.Event) -> None:
    async with unit.session() as session:
        with pytest.raises(ZeroDivisionError):  # noqa: PT012 - leaving the block is what raises
            async with session.begin_nested():
                session.add(Item(id=2, n=2))
                await session.flush()
                begun.set()
                await written.wait()
                raise ZeroDivisionError


async def _beside(unit: Unit, write: str, begun: asyncio.Event, written: asyncio.Event) -> None:
    await begun.wait()
    if write == "statement":
        await unit.run(insert(Item).values(id=3, n=3))
    else:
        async with unit.session() as session:
            session.add(Item(id=3, n=3))
    written.set()


class SessionSuite(ABC):
    """Sessions of a unit, and of a query."""

    @abstractmethod
    def opened(self) -> AbstractAsyncContextManager[Storage]:
        """The storage, open."""

    async def test_a_session_flushes_into_the_unit(self) -> None:
        async with self.opened() as storage:
            unit, wrote = storage.unit(), []
            async with unit.session(lambda: wrote.append(1)) as session:
                item = await session.get_one(Item, 1)
                assert not wrote
                item.n = 5
                session.add(Item(id=2, n=7))
            assert wrote
            assert await items(storage) == [(1, 0)]
            await unit.commit()
            assert await items(storage) == [(1, 5), (2, 7)]
            assert item.n == 5

    async def test_a_session_sees_what_its_unit_wrote(self) -> None:
        async with self.opened() as storage:
            unit = storage.unit()
            async with unit.session() as session:
                session.add(Item(id=2, n=7))
                assert len((await session.scalars(select(Item))).all()) == 2
            await unit.rollback()
            assert await items(storage) == [(1, 0)]

    async def test_the_connection_of_a_session_is_the_units(self) -> None:
        async with self.opened() as storage:
            unit = storage.unit()
            async with unit.session() as session:
                await session.get_one(Item, 1)
                await (await session.connection()).execute(update(Item).values(n=4))
            assert await items(storage) == [(1, 0)]
            await unit.rollback()
            assert await items(storage) == [(1, 0)]

    async def test_commit_and_rollback_of_a_session_are_refused(self) -> None:
        async with self.opened() as storage:
            unit = storage.unit()
            async with unit.session() as session:
                with pytest.raises(UsageError, match="when it ends"):
                    await session.commit()
                with pytest.raises(UsageError, match="begin_nested"):
                    await session.rollback()
                with pytest.raises(UsageError, match="Leave the statement out"):
                    await session.execute(text("COMMIT"))
            await unit.rollback()

    async def test_a_part_can_be_undone(self) -> None:
        async with self.opened() as storage:
            unit = storage.unit()
            async with unit.session() as session:
                session.add(Item(id=2, n=2))
                with pytest.raises(IntegrityError):  # noqa: PT012 - leaving the block is what raises
                    async with session.begin_nested():
                        session.add(Item(id=3, n=3))
                        await session.flush()
                        session.add(Item(id=1, n=1))
                        await session.flush()
                session.add(Item(id=4, n=4))
            await unit.commit()
            assert await items(storage) == [(1, 0), (2, 2), (4, 4)]

    async def test_what_is_written_beside_a_part_that_is_undone_is_not_lost_in_silence(self) -> None:
        async with self.opened() as storage:
            for write in ("statement", "session"):
                unit, begun, written = storage.unit(), asyncio.Event(), asyncio.Event()
                await asyncio.gather(_undone(unit, begun, written), _beside(unit, write, begun, written))
                with pytest.raises(StorageError, match="written beside it"):
                    await unit.commit()
                assert await items(storage) == [(1, 0)]

    async def test_what_is_written_inside_a_part_is_undone_with_it_and_nothing_else(self) -> None:
        async with self.opened() as storage:
            unit = storage.unit()
            async with unit.session() as session:
                await unit.run(insert(Item).values(id=2, n=2))
                with pytest.raises(ZeroDivisionError):  # noqa: PT012 - leaving the block is what raises
                    async with session.begin_nested():
                        await session.execute(insert(Item).values(id=3, n=3))
                        await asyncio.gather(*(unit.run(insert(Item).values(id=one, n=one)) for one in (4, 5)))
                        raise ZeroDivisionError
                async with session.begin_nested():
                    await asyncio.gather(*(unit.run(insert(Item).values(id=one, n=one)) for one in (6, 7)))
            await unit.commit()
            assert await items(storage) == [(1, 0), (2, 2), (6, 6), (7, 7)]

    async def test_what_is_read_beside_a_part_that_is_undone_harms_nobody(self) -> None:
        async with self.opened() as storage:
            unit = storage.unit()
            async with unit.session() as session, unit.session() as other:
                part = await session.begin_nested()
                session.add(Item(id=2, n=2))
                await session.flush()
                await other.get_one(Item, 1)
                await part.rollback()
                session.add(Item(id=3, n=3))
            await unit.commit()
            assert await items(storage) == [(1, 0), (3, 3)]

    async def test_a_flush_that_fails_undoes_the_unit_whatever_is_done_about_it(self) -> None:
        async with self.opened() as storage:
            unit = storage.unit()
            with pytest.raises(IntegrityError):  # noqa: PT012 - leaving the block is what raises
                async with unit.session() as session:
                    session.add(Item(id=2, n=2))
                    await session.flush()
                    session.add(Item(id=1, n=1))
            with pytest.raises(StorageError, match="begin_nested"):
                await unit.commit()
            assert await items(storage) == [(1, 0)]
            unit = storage.unit()
            async with unit.session() as session:
                session.add(Item(id=3, n=3))
            await unit.commit()
            assert await items(storage) == [(1, 0), (3, 3)]

    async def test_a_session_is_closed_with_its_unit(self) -> None:
        async with self.opened() as storage:
            unit = storage.unit()
            entered = unit.session()
            leaked = await entered.__aenter__()
            await leaked.get(Item, 1)
            await unit.commit()
            with pytest.raises(OutsideWork):
                await leaked.get(Item, 2)

    async def test_a_session_that_read_what_has_changed_since_cannot_write(self) -> None:
        async with self.opened() as storage:
            slow, quick = storage.unit(), storage.unit()
            with pytest.raises(Conflict):  # noqa: PT012 - leaving the block is what raises
                async with slow.session() as session:
                    item = await session.get_one(Item, 1)
                    await quick.run(update(Item).values(n=10))
                    await quick.commit()
                    item.n += 1
            assert slow.conflicted
            await slow.rollback()
            assert await items(storage) == [(1, 10)]

    async def test_a_reading_session_reads_and_flushes_nothing(self) -> None:
        async with self.opened() as storage:
            async with storage.reading_session() as session:
                assert (await session.get_one(Item, 1)).n == 0
            with pytest.raises(EffectInQuery):
                async with storage.reading_session() as session:
                    (await session.get_one(Item, 1)).n = 3
            with pytest.raises(EffectInQuery):
                async with storage.reading_session() as session:
                    session.add(Item(id=9, n=9))
            assert await items(storage) == [(1, 0)]
