"""The same sagas as workflows of DBOS, as coroutines."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import uvloop
from dbos import DBOS, SetWorkflowID

from benchmarks.contenders import contend, dbos_sides
from benchmarks.contenders.in_flight import keep_in_flight, names


@DBOS.step()
async def trivial(passed: int) -> int:
    return passed + 1


@DBOS.step()
async def enter(participant: int, order: str, amount: int) -> None:
    dbos_sides.enter(participant, order, amount)


@DBOS.step()
async def withdraw(participant: int, order: str) -> None:
    dbos_sides.withdraw(participant, order)


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
    except dbos_sides.Refused:
        for participant in (2, 1, 0):
            await withdraw(participant, order)


WORKFLOWS: Mapping[str, Callable[[str], Awaitable[object]]] = {"bare": bare, "full": full, "refused": refused}


async def figures(kind: str, count: int, in_flight: int) -> dict[str, float]:
    """Workflows a second."""

    async def one(order: str) -> None:
        with SetWorkflowID(order):
            await WORKFLOWS[kind](order)

    await keep_in_flight(names("warm", in_flight), in_flight, one)
    return {"per_second": count / await keep_in_flight(names("saga", count), in_flight, one)}


def measure(folder: str, kind: str, count: int, in_flight: int) -> dict[str, float]:
    """`kind` is bare, full or refused."""
    dbos_sides.launch(folder)
    try:
        return uvloop.run(figures(kind, count, in_flight))
    finally:
        DBOS.destroy()


if __name__ == "__main__":
    contend(measure)
