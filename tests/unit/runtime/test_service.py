"""A service starts with what its last release has left."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

import pytest

from ramet import Api, Application, Contract, Event, Saga, Struct, command, get, wait
from ramet.clock import VirtualClock
from ramet.contract.reading.application import read
from ramet.errors import DeadlineExceeded, IncompatibleRelease, StorageError
from ramet.model.topology import Deployment
from ramet.runtime import holdups, service
from ramet.runtime.policies import Deadlines
from ramet.runtime.running import Options, Running
from ramet.runtime.wiring import embedded
from ramet.storage.base import Write


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
    second = release(OrdersWithoutSagas, tmp_path)
    with pytest.raises(IncompatibleRelease, match=r"Checkout 17 .*: this release has no saga Checkout"):
        await second.start()


class Bills(Contract, version="1.0.0"):
    @command
    async def send(self) -> None: ...


class FailingBills(Bills):
    async def send(self) -> None:
        pass

    async def shutdown(self) -> None:
        raise RuntimeError("it had been broken before")


class LoggedOrders(OrdersWithoutSagas):
    ended: ClassVar[list[str]] = []

    async def shutdown(self) -> None:
        self.ended.append("orders")


@pytest.mark.parametrize("order", [(LoggedOrders, FailingBills), (FailingBills, LoggedOrders)])
async def test_all_others_end_and_close_where_one_fails_on_its_way_down(
    tmp_path: Path, order: tuple[type[Contract], ...]
) -> None:
    LoggedOrders.ended.clear()
    running = Running(
        read(Application("shop", services=order)), embedded(Deployment(durability="off"), tmp_path), Options()
    )
    await running.start()
    with pytest.raises(RuntimeError, match="broken before"):
        await running.stop()
    assert LoggedOrders.ended == ["orders"]
    for storage in running.storages.values():
        with pytest.raises(StorageError, match="not open"):
            await storage.fetch("SELECT 1")


async def test_old_answers_are_removed_though_an_hour_before_that_went_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, engines = VirtualClock(), embedded(Deployment(durability="off"), tmp_path)
    running = Running(read(Application("shop", services=OrdersService)), engines, Options(clock=clock))
    await running.start()
    storage = running.storages["orders"]
    await storage.write(Write("INSERT INTO ramet_inbox (consumer, key, answer, at) VALUES ('old', '1', NULL, 0)", [()]))

    async def fail(*_: object) -> int:
        raise RuntimeError("the driver is at its wits' end")

    with monkeypatch.context() as context:
        context.setattr(service, "purge_answers", fail)
        await clock.advance(service.PURGE_EVERY_SECONDS)
    await clock.advance(service.PURGE_EVERY_SECONDS)
    assert await storage.fetch("SELECT key FROM ramet_inbox") == []
    await running.stop()


class SlowOrders(OrdersWithoutSagas):
    noticed: ClassVar[asyncio.Event]

    async def startup(self) -> None:
        await self.noticed.wait()


async def test_whoever_waits_for_a_startup_that_takes_long_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    SlowOrders.noticed = asyncio.Event()
    monkeypatch.setattr(holdups, "SLOW_SECONDS", 0.0)
    said: list[str] = []

    def notice(message: str, *values: object) -> None:
        said.append(message % values)
        SlowOrders.noticed.set()

    monkeypatch.setattr(holdups.log, "warning", notice)
    service = release(SlowOrders, tmp_path)
    await service.start()
    await service.stop()
    assert said == ["orders is not ready after 0 s: its startup() goes on"]


class HangingOrders(OrdersWithoutSagas):
    async def startup(self) -> None:
        await asyncio.Event().wait()


async def test_a_startup_that_hangs_is_named_with_its_line_and_undone(tmp_path: Path) -> None:
    engines = embedded(Deployment(durability="off"), tmp_path)
    service = Running(
        read(Application("shop", services=HangingOrders)), engines, Options(deadlines=Deadlines(startup=0.01))
    )
    with pytest.raises(DeadlineExceeded) as caught:
        await service.start()
    assert str(caught.value).startswith("The startup() of orders hangs at ")
    assert "in startup: it was given up after 0.01 s" in str(caught.value)
    await service.stop()


class PatientApi(Api, prefix="/api", version="1.0.0"):
    @get("/")
    async def nothing(self) -> None: ...

    async def startup(self) -> None:
        await asyncio.Event().wait()


async def test_that_of_an_api_is_named_too(tmp_path: Path) -> None:
    engines = embedded(Deployment(durability="off"), tmp_path)
    declared = read(Application("shop", services=[OrdersWithoutSagas, PatientApi]))
    service = Running(declared, engines, Options(deadlines=Deadlines(startup=0.01)))
    with pytest.raises(DeadlineExceeded, match=r"^The startup\(\) of patient-api hangs at "):
        await service.start()


class LateOrders(OrdersWithoutSagas):
    async def startup(self) -> None:
        raise TimeoutError("of its own")


async def test_a_time_limit_of_its_own_is_not_taken_for_ours(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError, match="of its own"):
        await release(LateOrders, tmp_path).start()
