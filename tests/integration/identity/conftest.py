"""An application whose innermost service notes on whose behalf it was called: directly, by a handler, by a saga."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ramet.contract.reading.application import read
from ramet.runtime.configuration import load, make_importable
from ramet.testing import Processes, Servers
from ramet.testing.processes import InProcesses, Wanted, processes
from tests.fresh import fresh

TOML = """
[application]
name = "guild"
services = ["guild"]

[deployment.split]
broker = "nats://nowhere:4222"

[deployment.split.process.edge]
services = ["front"]

[deployment.split.process.money]
services = ["ledger"]

[deployment.split.process.rest]
services = "*"
"""
SOURCE = """
from __future__ import annotations

from sqlalchemy import Column, Integer, MetaData, Table, Text, insert, select

from ramet import (
    Api, Caller, Contract, Database, Event, Request, Saga, Struct, command, get, on, post, query, step,
)
from ramet.telemetry.context import current_context

noted, placed = MetaData(), MetaData()
notes = Table("notes", noted, Column("id", Integer, primary_key=True), Column("text", Text))


def user() -> str:
    context = current_context.get()
    caller = context.caller
    return "nobody" if caller is None else f"{caller.subject} of {context.tenant}, {sorted(caller.roles)}"


class Placed(Event):
    name: str


class Ledger(Contract, version="1.0.0"):
    @command
    async def note(self, how: str) -> None: ...

    @query
    async def notes(self) -> tuple[str, ...]: ...

    @query
    async def user(self) -> str: ...


class Orders(Contract, version="1.0.0", publishes=(Placed,)):
    @command
    async def place(self, name: str) -> None: ...

    @query
    async def user(self) -> str: ...


class Delivery(Saga):
    class State(Struct):
        name: str

    ledger: Ledger

    @step
    async def write(self, state: State) -> State:
        await self.ledger.note("saga")
        return state


class LedgerService(Ledger, tables=noted):
    db: Database
    orders: Orders

    async def note(self, how):
        await self.db.execute(insert(notes).values(text=f"{how}: {user()}"))

    async def notes(self):
        return tuple((await self.db.scalars(select(notes.c.text).order_by(notes.c.text))).all())

    async def user(self):
        return user()


class OrdersService(Orders, tables=placed, sagas=(Delivery,)):
    db: Database
    ledger: Ledger

    async def place(self, name):
        await self.ledger.note("call")
        await self.publish(Placed(name=name))
        await self.start(Delivery, key=name, state=Delivery.State(name=name))

    @on(Placed)
    async def remember(self, event: Placed) -> None:
        await self.ledger.note("handler")

    async def user(self):
        return await self.ledger.user()


class Front(Api, prefix="/api", version="1.0.0"):
    orders: Orders
    ledger: Ledger

    async def authenticate(self, request: Request) -> Caller | None:
        name = request.headers.get("x-user")
        return None if name is None else Caller(subject=name, tenant="acme", roles=frozenset({"smith"}))

    @post("/orders/{name}", status=204)
    async def place(self, name: str) -> None:
        await self.orders.place(name)

    @get("/user")
    async def user(self) -> str:
        return await self.orders.user()

    @get("/notes")
    async def notes(self) -> tuple[str, ...]:
        return await self.ledger.notes()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "guild.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "ramet.toml").write_text(TOML, encoding="utf-8")
    with fresh("guild"):
        yield tmp_path


@pytest.fixture
async def guild(folder: Path, nats: str) -> AsyncIterator[InProcesses]:
    """The application as real processes: edge, money, and the rest."""
    configuration = load(folder / "ramet.toml")
    make_importable(folder)
    wanted = Wanted(
        configuration=configuration,
        declared=read(configuration.application),
        settings={},
        servers=Servers(broker=nats),
        placement=Processes(deployment="split"),
    )
    async with processes(wanted) as found:
        yield found
