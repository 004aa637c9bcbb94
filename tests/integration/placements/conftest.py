"""The application that is tested here, and its servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fresh import fresh

CONFIGURATION = """
[application]
name = "Tally Sheet"
services = ["tally"]

[settings.tally]
step = 2
"""
GROUPS = """
[deployment.split]
storage = "env:NOWHERE"
broker = "nats://nowhere:4222"

[deployment.split.process.front]
services = ["counting"]
replicas = 2
listen = "127.0.0.1:80"

[deployment.split.process.rest]
services = "*"

[deployment.halved]
broker = "nats://nowhere:4222"

[deployment.halved.process.all]
services = "*"
"""
SOURCE = """
from __future__ import annotations

import os

from sqlalchemy import Column, Integer, MetaData, Table, func, insert, select

from ramet import Api, Contract, Database, Event, Refusal, Saga, Settings, Struct, command, get, on, query, step, wait

metadata, heard_metadata = MetaData(), MetaData()
counts = Table("counts", metadata, Column("id", Integer, primary_key=True), Column("by", Integer))
heard = Table("heard", heard_metadata, Column("id", Integer, primary_key=True), Column("by", Integer))


class Counted(Event):
    by: int


class Tally(Contract, version="1.0.0", publishes=(Counted,)):
    class TooMuch(Refusal):
        by: int

    @command(refuses=TooMuch)
    async def count(self, by: int) -> int: ...

    @command
    async def begin(self, name: str) -> None: ...

    @query
    async def total(self) -> int: ...

    @query
    async def process(self) -> int: ...


class Recount(Saga):
    class State(Struct):
        by: int

    tally: Tally

    @step
    async def add(self, state: State) -> State:
        await self.tally.count(state.by)
        return state


class TallySettings(Settings):
    step: int = 1


class TallyService(Tally, tables=metadata, sagas=(Recount,)):
    db: Database
    settings: TallySettings

    async def count(self, by):
        if by > 100:
            raise self.TooMuch(by=by)
        await self.db.execute(insert(counts).values(by=by * self.settings.step))
        await self.publish(Counted(by=by))
        return await self.total()

    async def begin(self, name):
        await self.start(Recount, key=name, state=Recount.State(by=1))

    async def total(self):
        return await self.db.scalar(select(func.sum(counts.c.by))) or 0

    async def process(self):
        return os.getpid()


class Listener(Contract, version="1.0.0"):
    @query
    async def heard(self) -> int: ...

    @query
    async def process(self) -> int: ...


class ListenerService(Listener, tables=heard_metadata):
    db: Database

    @on(Counted)
    async def hear(self, event: Counted) -> None:
        await self.db.execute(insert(heard).values(by=event.by))

    async def heard(self):
        return await self.db.scalar(select(func.count()).select_from(heard)) or 0

    async def process(self):
        return os.getpid()


class Counting(Api, prefix="/counting", version="1.0.0"):
    tally: Tally

    @get("/total")
    async def total(self) -> int:
        return await self.tally.total()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The folder of an application of two services and an API, without process groups."""
    (tmp_path / "tally.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "ramet.toml").write_text(CONFIGURATION, encoding="utf-8")
    with fresh("tally"):
        yield tmp_path


@pytest.fixture
def split(folder: Path) -> Path:
    """The same, with two deployments that have process groups."""
    (folder / "ramet.toml").write_text(CONFIGURATION + GROUPS, encoding="utf-8")
    return folder
