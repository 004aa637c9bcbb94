"""A call through an injected client beside a direct await of the same method."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import perf_counter_ns

import uvloop

from benchmarks.contenders import contend
from benchmarks.contenders.ramet_alive import alive
from ramet import Contract, command, query
from ramet.contract.calling import calling

Loop = Callable[[int], Awaitable[int]]


class Stock(Contract, version="1.0.0"):
    @query
    async def level(self, sku: str, depot: int) -> int: ...

    @command
    async def touch(self, sku: str, depot: int) -> int: ...


class StockService(Stock):
    async def level(self, sku: str, depot: int) -> int:
        return depot

    async def touch(self, sku: str, depot: int) -> int:
        return depot


class Shop(Contract, version="1.0.0"):
    @query
    async def ask(self, count: int) -> int: ...


class ShopService(Shop):
    stock: Stock

    async def ask(self, count: int) -> int:
        return await timed(self.stock, count)


async def timed(stock: Stock, count: int) -> int:
    """Nanoseconds of `count` calls."""
    started = perf_counter_ns()
    for _ in range(count):
        await stock.level("chair", 7)
    return perf_counter_ns() - started


async def commands(stock: Stock, count: int) -> int:
    """Nanoseconds of `count` commands from the outside, each a transaction with nothing in it."""
    started = perf_counter_ns()
    for _ in range(count):
        await stock.touch("chair", 7)
    return perf_counter_ns() - started


async def empty(count: int) -> int:
    """Nanoseconds of the loop itself."""
    started = perf_counter_ns()
    for _ in range(count):
        pass
    return perf_counter_ns() - started


async def figures(folder: str, count: int, chunks: int) -> dict[str, float]:
    """Nanoseconds a call: the least of many short turns, which are what nothing else has disturbed."""
    async with (
        alive(f"{folder}/plain", StockService, ShopService) as plain,
        alive(f"{folder}/strict", StockService, ShopService, strict=True) as strict,
    ):
        direct = plain.services["stock"].instance
        shop, strict_shop, stock = plain.client(Shop), strict.client(Shop), plain.client(Stock)
        kinds: dict[str, tuple[Loop, int]] = {
            "loop": (empty, count),
            "direct": (lambda n: timed(direct, n), count),
            "query": (shop.ask, count),
            "strict": (strict_shop.ask, count // 10),
            "command": (lambda n: commands(stock, n), count // 10),
        }
        taken: dict[str, list[float]] = {kind: [] for kind in kinds}
        for _ in range(chunks):
            for kind, (loop, times) in kinds.items():
                async with calling(timeout="4s"):
                    taken[kind].append(await loop(times) / times)
    each = {kind: min(values) for kind, values in taken.items()}
    direct_ns = each["direct"] - each["loop"]
    return {
        "direct": direct_ns,
        "overhead": each["query"] - each["direct"],
        "command": each["command"] - each["direct"],
        "strict": each["strict"] - each["direct"],
    }


def measure(folder: str, count: int, chunks: int) -> dict[str, float]:
    """Overheads over a direct await, and the direct await itself."""
    return uvloop.run(figures(folder, count, chunks))


if __name__ == "__main__":
    contend(measure)
