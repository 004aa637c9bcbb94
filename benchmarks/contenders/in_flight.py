"""Work under way: a number of workers that take what is to be done one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from time import perf_counter


def names(prefix: str, count: int) -> Sequence[str]:
    """Names of things to do."""
    return [f"{prefix}-{number}" for number in range(count)]


async def keep_in_flight(items: Iterable[str], width: int, work: Callable[[str], Awaitable[object]]) -> float:
    """Do `work` for all items, `width` at the same time; returns the seconds it took."""
    rest = iter(items)

    async def worker() -> None:
        for item in rest:
            await work(item)

    started = perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(width):
            group.create_task(worker())
    return perf_counter() - started
