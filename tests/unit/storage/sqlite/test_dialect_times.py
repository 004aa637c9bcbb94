"""Moments in a SQLite database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from sqlalchemy import Column, DateTime, Integer, MetaData, Table, insert, select

from ramet.storage.sqlite.storage import SqliteStorage

metadata = MetaData()
moments = Table(
    "moments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("aware", DateTime(timezone=True)),
    Column("naive", DateTime),
)


async def test_aware_moments_come_back_aware_and_compare_across_zones() -> None:
    storage = SqliteStorage("times")
    await storage.open(())
    noon = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    unit = storage.unit()
    await (await unit.connection()).run_sync(metadata.create_all)
    await unit.run(insert(moments).values(id=1, aware=noon, naive=datetime(2026, 7, 1, 12)))  # noqa: DTZ001 - naive on purpose
    await unit.run(insert(moments).values(id=2))
    await unit.commit()
    found = (await storage.read(select(moments.c.aware, moments.c.naive).where(moments.c.id == 1))).one()
    assert found == (noon, datetime(2026, 7, 1, 12))  # noqa: DTZ001 - as above
    assert found.aware.tzinfo is UTC
    earlier = select(moments.c.id).where(moments.c.aware < noon + timedelta(seconds=1))
    assert (await storage.read(earlier)).scalars().all() == [1]
    assert (await storage.read(select(moments.c.aware).where(moments.c.id == 2))).scalar() is None
    await storage.close()
