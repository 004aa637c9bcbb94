"""What an operator may call, and what he sees of what is answered outside."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ramet import Application, Contract, External, query
from ramet.contract.reading.application import read
from ramet.errors import DeadlineExceeded
from ramet.model.topology import Deployment
from ramet.runtime.configuration import ExternalAt
from ramet.runtime.operators.calls import find
from ramet.runtime.operators.operations import Operations, Place
from ramet.runtime.operators.requests import Call, GetStatus
from ramet.runtime.running import Options, Running
from ramet.runtime.wiring import embedded
from ramet.testing.engines.base import free_port
from tests.unit.runtime.operators.house import DoorsService


class Weather(Contract, version="1.0.0"):
    @query
    async def tomorrow(self) -> str: ...


class Waiting(Contract, version="1.0.0"):
    @query
    async def long(self) -> None: ...


class WaitingService(Waiting):
    async def long(self) -> None:
        await asyncio.Event().wait()


SERVICES = (DoorsService, WaitingService, External(Weather, url="http://127.0.0.1:8090"))


def test_a_contract_that_is_answered_outside_can_be_called_too() -> None:
    contract, method = find(read(Application("house", services=SERVICES)), "Weather", "tomorrow")
    assert (contract.name, method.name) == ("weather", "tomorrow")


async def test_a_call_that_takes_too_long_is_named_and_what_is_outside_is_counted(tmp_path: Path) -> None:
    url = f"http://me:secret@127.0.0.1:{free_port()}"
    options = Options(externals={"weather": ExternalAt(url, "")})
    declared = read(Application("house", services=SERVICES))
    running = Running(declared, embedded(Deployment(durability="off"), tmp_path), options)
    await running.start()
    place = Place(application="a", deployment="d", storages=running.storages, clock=running.clock, running=running)
    operations = Operations(place)
    with pytest.raises(DeadlineExceeded, match=r"^waiting\.long was not answered within 0\.01 s\.$"):
        await operations.answer(Call(contract="Waiting", method="long", timeout_seconds=0.01))
    with pytest.raises(Exception, match="weather"):
        await operations.answer(Call(contract="Weather", method="tomorrow"))
    (external,) = (await operations.status(GetStatus())).externals
    assert (external.name, external.url) == ("weather", url.replace("secret", "****"))
    assert (external.calls, external.refusals, external.errors) == (1, 0, 1)
    await running.stop()
