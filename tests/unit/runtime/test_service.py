"""A service starts with what its last release has left."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

import pytest

from ramet import Application, Contract, Event, Saga, Struct, command, wait
from ramet.contract.reading.application import read
from ramet.errors import IncompatibleRelease
from ramet.model.topology import Deployment
from ramet.runtime import service as running_service
from ramet.runtime.running import Options, Running
from ramet.runtime.wiring import embedded


class Paid(Event, key="order"):
    order: str


class Orders(Contract, version="1.0.0", publishes=Paid):
    @command
    async def place(self, order: str) -> None: ...


class Checkout(Saga):
    class State(Struct):
        pass

    @wait(Paid)
    async def paid(self, state: State, _event: Paid) -> State:
        return state


class OrdersService(Orders, sagas=Checkout):
    async def place(self, order: str) -> None:
        await self.start(Checkout, key=order, state=Checkout.State())


class OrdersWithoutSagas(Orders):
    async def place(self, order: str) -> None:
        pass


def release(service: type[Orders], folder: Path) -> Running:
    engines = embedded(Deployment(durability="off"), folder)
    return Running(read(Application("shop", services=service)), engines, Options())


async def test_a_release_that_has_no_sagas_any_more_strands_none(tmp_path: Path) -> None:
    first = release(OrdersService, tmp_path)
    await first.start()
    await first.client(Orders).place("17")
    await first.stop()
    service = release(OrdersWithoutSagas, tmp_path)
    with pytest.raises(IncompatibleRelease, match=r"Checkout 17 .*: this release has no saga Checkout"):
        await service.start()


class SlowOrders(OrdersWithoutSagas):
    noticed: ClassVar[asyncio.Event]

    async def startup(self) -> None:
        await self.noticed.wait()


async def test_whoever_waits_for_a_startup_that_takes_long_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    SlowOrders.noticed = asyncio.Event()
    monkeypatch.setattr(running_service, "SLOW_SECONDS", 0.0)
    said: list[str] = []

    def notice(message: str, *values: object) -> None:
        said.append(message % values)
        SlowOrders.noticed.set()

    monkeypatch.setattr(running_service.log, "warning", notice)
    service = release(SlowOrders, tmp_path)
    await service.start()
    await service.stop()
    assert said == ["orders is not ready after 0 s: its startup() goes on"]
