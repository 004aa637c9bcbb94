"""The same sagas as workflows of DBOS, in threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

from dbos import DBOS, SetWorkflowID

from benchmarks.contenders import contend, dbos_sides
from benchmarks.contenders.in_flight import names


@DBOS.step()
def trivial(passed: int) -> int:
    return passed + 1


@DBOS.step()
def enter(participant: int, order: str, amount: int) -> None:
    dbos_sides.enter(participant, order, amount)


@DBOS.workflow()
def bare(order: str) -> int:
    passed = 0
    for _ in range(4):
        passed = trivial(passed)
    return passed


@DBOS.workflow()
def full(order: str) -> None:
    for participant in range(4):
        enter(participant, order, 1)


WORKFLOWS: Mapping[str, Callable[[str], object]] = {"bare": bare, "full": full}


def measure(folder: str, kind: str, count: int, in_flight: int) -> dict[str, float]:
    """Workflows a second; `kind` is bare or full."""

    def one(order: str) -> None:
        with SetWorkflowID(order):
            WORKFLOWS[kind](order)

    dbos_sides.launch(folder)
    try:
        with ThreadPoolExecutor(in_flight) as workers:
            list(workers.map(one, names("warm", in_flight)))
            started = perf_counter()
            list(workers.map(one, names("saga", count)))
            return {"per_second": count / (perf_counter() - started)}
    finally:
        DBOS.destroy()


if __name__ == "__main__":
    contend(measure)
