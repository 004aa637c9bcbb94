"""One application as real processes, as a test has it."""

from __future__ import annotations

import importlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from ramet import Application
from ramet.errors import DeclarationError, Unavailable, UsageError
from ramet.runtime.configuration import make_importable
from ramet.testing import Processes, RunningApplication, Servers, VirtualClock, running

pytestmark = pytest.mark.needs("nats")


@pytest.fixture
async def app(folder: Path, nats: str) -> AsyncIterator[RunningApplication]:
    async with running(folder, placement="processes", servers=Servers(broker=nats)) as app:
        yield app


def tally() -> Any:
    return importlib.import_module("tally")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def roles(url: str) -> list[str]:
    """The roles that are not the server's own."""
    raw = await asyncpg.connect(f"{url}/postgres")
    try:
        rows = await raw.fetch("SELECT rolname FROM pg_roles WHERE rolname LIKE 'tally_sheet_%' ORDER BY 1")
        return [row[0] for row in rows]
    finally:
        await raw.close()


async def test_clients_api_events_and_sagas_are_reached_from_outside(app: RunningApplication) -> None:
    contract, listener = app.client(tally().Tally), app.client(tally().Listener)

    assert await contract.count(3) == 6
    assert (await app.http.get("/counting/total")).json() == 6
    assert await app.published(tally().Counted) == [tally().Counted(by=3)]
    assert await app.eventually(listener.heard) == 1

    await contract.begin("again")

    async def is_over() -> bool:
        saga = await app.saga(tally().Recount, "again")
        return saga is not None and saga.ended is not None

    await app.eventually(is_over)
    assert await contract.total() == 8
    assert await app.saga(tally().Recount, "never") is None

    await app.publish(tally().Counted(by=9))

    async def three_heard() -> bool:
        return await listener.heard() == 3

    await app.eventually(three_heard)


async def test_without_process_groups_each_service_is_a_process_and_a_refusal_is_typed(app: RunningApplication) -> None:
    contract, listener = app.client(tally().Tally), app.client(tally().Listener)
    pids = {os.getpid(), await contract.process(), await listener.process()}
    assert len(pids) == 3

    with pytest.raises(tally().Tally.TooMuch) as refused:
        await contract.count(101)
    assert refused.value.by == 101


async def test_instances_and_virtual_time_are_of_this_process_alone(app: RunningApplication, folder: Path) -> None:
    with pytest.raises(UsageError, match="object of another process"):
        app.service(tally().TallyService)
    with pytest.raises(UsageError, match="Time can be advanced on a virtual clock"):
        await app.advance("1h")
    with pytest.raises(UsageError, match="is not part of the application under test"):
        await app.saga(type("Other", (tally().Recount,), {}), "x")
    with pytest.raises(UsageError, match="virtual clock cannot move the time"):
        async with running(folder, placement="processes", clock=VirtualClock()):
            pass


@pytest.mark.parametrize("is_failing", [False, True], ids=["passes", "fails"])
async def test_nothing_is_left_however_the_test_ends(is_failing: bool, folder: Path, nats: str) -> None:
    seen: list[int] = []

    async def one() -> None:
        async with running(folder, placement="processes", servers=Servers(broker=nats)) as app:
            seen.extend([await app.client(tally().Tally).process(), await app.client(tally().Listener).process()])
            assert not is_failing

    if is_failing:
        with pytest.raises(AssertionError):
            await one()
    else:
        await one()
    assert [pid for pid in seen if is_alive(pid)] == []


@pytest.mark.needs("postgresql")
async def test_a_named_deployment_gives_the_groups_and_each_service_has_a_role(
    split: Path, postgresql: str, nats: str
) -> None:
    servers = Servers(storage=postgresql, broker=nats)
    async with running(split, placement=Processes(deployment="split"), servers=servers) as app:
        contract = app.client(tally().Tally)
        assert await contract.count(1) == 2
        assert await contract.process() == await app.client(tally().Listener).process()
        assert (await app.http.get("/counting/total")).json() == 2
        assert [name.rpartition("_")[2] for name in await roles(postgresql)] == ["listener", "tally"]
    assert await roles(postgresql) == []


@pytest.mark.parametrize("name", ["", "nowhere", "local"])
async def test_which_deployment_is_meant_must_be_said_and_right(name: str, split: Path, nats: str) -> None:
    with pytest.raises(UsageError, match="with process groups there are split, halved"):
        async with running(split, placement=Processes(deployment=name), servers=Servers(broker=nats)):
            pass


async def test_processes_without_a_broker_between_them_are_refused(folder: Path) -> None:
    remedy = r"the memory broker cannot. Give `running` one: servers=Servers\(broker=\"nats://…\"\), .*, or keep them"
    with pytest.raises(DeclarationError, match=remedy):
        async with running(folder, placement="processes"):
            pass


async def test_what_is_no_module_cannot_be_a_process(folder: Path, nats: str) -> None:
    make_importable(folder)
    application = Application("tally", services=[tally().TallyService])
    with pytest.raises(UsageError, match="Processes import their services by name"):
        async with running(application, placement="processes", servers=Servers(broker=nats)):
            pass


async def test_an_application_that_does_not_start_says_why(folder: Path, nats: str) -> None:
    settings = {"tally": {"step": "two"}}
    with pytest.raises(Unavailable, match=r"(?s)did not start: tally/0 .*It said:.*step"):
        async with running(folder, placement="processes", servers=Servers(broker=nats), settings=settings):
            pass
