"""The same workflows of DBOS on PostgreSQL; their participants are FastAPI services, asked with aiohttp."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from typing import Any

import aiohttp
import uvloop
from dbos import DBOS, SetWorkflowID

from benchmarks.contenders import contend, participants
from benchmarks.contenders.databases import new_database
from benchmarks.contenders.in_flight import keep_in_flight, names
from benchmarks.serving import serving

QUIET: Any = {"run_admin_server": False, "log_level": "ERROR"}
_sessions: list[aiohttp.ClientSession] = []


class Refused(Exception):
    """What step four says in the sagas that are refused."""


@DBOS.step()
async def trivial(passed: int) -> int:
    return passed + 1


@DBOS.step()
async def enter(participant: int, order: str, amount: int) -> None:
    async with _sessions[participant].post(f"http://side/enter/{order}/{amount}") as answer:
        if answer.status == 409:
            raise Refused
        answer.raise_for_status()


@DBOS.step()
async def withdraw(participant: int, order: str) -> None:
    async with _sessions[participant].post(f"http://side/withdraw/{order}") as answer:
        answer.raise_for_status()


@DBOS.workflow()
async def bare(order: str) -> int:
    passed = 0
    for _ in range(4):
        passed = await trivial(passed)
    return passed


@DBOS.workflow()
async def full(order: str) -> None:
    for participant in range(4):
        await enter(participant, order, 1)


@DBOS.workflow()
async def refused(order: str) -> None:
    for participant in range(3):
        await enter(participant, order, 1)
    try:
        await enter(3, order, -1)
    except Refused:
        for participant in (2, 1, 0):
            await withdraw(participant, order)


WORKFLOWS: Mapping[str, Callable[[str], Awaitable[object]]] = {"bare": bare, "full": full, "refused": refused}


async def figures(paths: list[str], kind: str, count: int, in_flight: int) -> dict[str, float]:
    """Workflows a second."""

    async def one(order: str) -> None:
        with SetWorkflowID(order):
            await WORKFLOWS[kind](order)

    _sessions.extend(aiohttp.ClientSession(connector=aiohttp.UnixConnector(path)) for path in paths)
    await keep_in_flight(names("warm", in_flight), in_flight, one)
    taken = await keep_in_flight(names("saga", count), in_flight, one)
    for session in _sessions:
        await session.close()
    return {"per_second": count / taken}


def measure(folder: str, server: str, kind: str, count: int, in_flight: int) -> dict[str, float]:
    """`kind` is bare, full or refused."""
    storage = new_database(server)
    with ExitStack() as stack:
        sides = participants.NAMES if kind != "bare" else ()
        asked = [{"folder": folder, "name": name, "storage": storage} for name in sides]
        paths = [stack.enter_context(serving("sagas_participant_http", **one)) for one in asked]
        DBOS(config={"name": "bench-peer", "system_database_url": storage, **QUIET})
        DBOS.launch()
        try:
            return uvloop.run(figures(paths, kind, count, in_flight))
        finally:
            DBOS.destroy()


if __name__ == "__main__":
    contend(measure)
