"""Chaos over the shop as processes: everything that can break, again and again under load; then the books."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from ramet.clock import SystemClock
from tests.chaos.administrators import Administrator
from tests.chaos.customers import Customer, Promises
from tests.chaos.kill import SKUS, audit_of, broken, disordered, unheard
from tests.chaos.shop_process import pause
from tests.chaos.split_shop import SplitShop, family, hit

HEALTHY_SECONDS = 10.0
SETTLED_SECONDS = 180.0
FROZEN_SECONDS = (1.0, 9.0)
"""Some are frozen for longer than their leases last."""
CUT_SECONDS = (0.5, 4.0)
PAUSE_SECONDS = (0.5, 3.0)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """For how long faults happen, over which broker, with how many customers, and the seed of all chance."""

    seconds: float = 120.0
    broker: str = "nats"
    customers: int = 8
    seed: int = 1
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What came of it."""

    plan: Plan
    network: str
    faults: Counter[str]
    healthy_seconds: float
    promises: Promises
    books: Any
    violations: tuple[str, ...]

    def __str__(self) -> str:
        faults = ", ".join(f"{count} times {name}" for name, count in sorted(self.faults.items()))
        orders = f"{len(self.promises.orders)} orders promised"
        lines = [
            f"faults  {faults}; seed {self.plan.seed}, over {self.plan.broker} and {self.network}",
            f"healthy {self.healthy_seconds:.1f} s after the last fault",
            f"load    {self.promises.requests} requests, {self.promises.repeated} repeated, {orders}",
            str(self.books),
        ]
        return "\n".join([*lines, *(f"WRONG   {violation}" for violation in self.violations)])


@dataclass
class Faults:
    """What can be done to a shop; each ends with what it broke running again, or about to."""

    shop: SplitShop
    chance: Random
    done: Counter[str] = field(default_factory=Counter)

    @property
    def all(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """By name."""
        return {
            "kill a process": self.kill,
            "freeze a process": self.freeze,
            "kill PostgreSQL": self.kill_postgres,
            "restart PostgreSQL": self.restart_postgres,
            "freeze PostgreSQL": self.freeze_postgres,
            "kill the broker": self.kill_broker,
            "restart the broker": self.restart_broker,
            "freeze the broker": self.freeze_broker,
            "cut the network": self.cut,
            "slow the network": self.slow,
            **Administrator(self.shop.postgres, self.shop.broker, self.chance).all,
            **({"lose every packet": self.lose, "delay and lose packets": self.delay} if self.shop.link else {}),
        }

    async def one(self, names: tuple[str, ...]) -> None:
        """One of them by chance."""
        name = self.chance.choice(names or tuple(self.all))
        await self.all[name]()
        self.done[name] += 1

    async def kill(self) -> None:
        """kill -9 of a replica; its supervisor starts another."""
        if pids := await asyncio.to_thread(self.shop.replicas):
            hit(self.chance.choice(pids), signal.SIGKILL)

    async def freeze(self) -> None:
        """SIGSTOP of a replica, and SIGCONT unless somebody has ended it meanwhile."""
        pids = await asyncio.to_thread(self.shop.replicas)
        if pids and hit(pid := self.chance.choice(pids), signal.SIGSTOP):
            await pause(self.chance.uniform(*FROZEN_SECONDS))
            hit(pid, signal.SIGCONT)

    async def kill_postgres(self) -> None:
        """kill -9 of the server, which recovers from its log."""
        await asyncio.to_thread(self.shop.postgres.kill)
        await pause(self.chance.uniform(0.0, 1.0))
        await asyncio.to_thread(self.shop.postgres.start)

    async def restart_postgres(self) -> None:
        """As an operator does."""
        await asyncio.to_thread(self.shop.postgres.restart)

    async def freeze_postgres(self) -> None:
        """It answers nobody, and nobody is told; then it goes on where it was."""
        await self._freeze(self.shop.postgres.pid)

    async def kill_broker(self) -> None:
        """kill -9 of the broker."""
        await asyncio.to_thread(self.shop.broker.kill)
        await pause(self.chance.uniform(0.0, 1.0))
        await asyncio.to_thread(self.shop.broker.start)

    async def restart_broker(self) -> None:
        """As an operator does."""
        await asyncio.to_thread(self.shop.broker.restart)

    async def freeze_broker(self) -> None:
        """As PostgreSQL."""
        await self._freeze(self.shop.broker.pid)

    async def _freeze(self, server: int | None) -> None:
        assert server is not None
        pids = family(server)
        for pid in pids:
            hit(pid, signal.SIGSTOP)
        await pause(self.chance.uniform(*FROZEN_SECONDS))
        for pid in pids:
            hit(pid, signal.SIGCONT)

    async def cut(self) -> None:
        """Nothing reaches PostgreSQL, or the broker, for a while."""
        await self.chance.choice(self.shop.weather).cut(self.chance.uniform(*CUT_SECONDS))

    async def slow(self) -> None:
        """What goes to PostgreSQL, or to the broker, takes long for a while."""
        weather = self.chance.choice(self.shop.weather)
        weather.delay_seconds = self.chance.uniform(0.005, 0.05)
        await pause(self.chance.uniform(*CUT_SECONDS))
        weather.delay_seconds = 0.0

    async def lose(self) -> None:
        """No packet reaches PostgreSQL or the broker, and nobody is told."""
        assert self.shop.link is not None
        await asyncio.to_thread(self.shop.link.lose)
        await pause(self.chance.uniform(*CUT_SECONDS))
        await asyncio.to_thread(self.shop.link.heal)

    async def delay(self) -> None:
        """A cable that is too thin: what waits too long in the queue before it is lost."""
        assert self.shop.link is not None
        await asyncio.to_thread(self.shop.link.delay)
        await pause(self.chance.uniform(*CUT_SECONDS))
        await asyncio.to_thread(self.shop.link.heal)


async def run(plan: Plan, *, say: Callable[[str], object]) -> Ledger:
    """Break the shop for that long under load, let it finish, and audit."""
    chance = Random(plan.seed)
    with tempfile.TemporaryDirectory(prefix="ramet-chaos-") as folder:
        async with SplitShop(Path(folder), broker=plan.broker, chance=chance) as shop:
            await shop.start()
            await shop.healthy(patience_seconds=60.0)
            await asyncio.to_thread(shop.fill_the_shelves, SKUS, 100_000)
            faults = Faults(shop, chance)
            promises, healthy_seconds = await _under_load(plan, shop, faults, say)
            say(f"healthy {healthy_seconds:.1f} s after the last fault; waiting for what is under way")
            peace = SystemClock().time()
            await _settle(shop, peace, say)
            await asyncio.to_thread(shop.stop)
            await shop.copy_the_books()
            books = audit_of(shop)
            violations = [*books.violations, *promises.contradictions, *broken(promises, shop), *unheard(shop)]
            violations += disordered(shop)
            violations += [f"the schedule {name} has not run since the last fault" for name in _stopped(shop, peace)]
            if books.dead_letters:
                violations.append(f"{books.dead_letters} events were given up")
            if healthy_seconds > HEALTHY_SECONDS:
                violations.append(f"the shop was healthy only {healthy_seconds:.1f} s after the last fault")
            if violations:
                say(f"what the shop has said, and its books, are kept in {shop.keep()}")
            return Ledger(
                plan=plan,
                network=shop.network,
                faults=faults.done,
                healthy_seconds=healthy_seconds,
                promises=promises,
                books=books,
                violations=tuple(violations),
            )


async def _under_load(
    plan: Plan, shop: SplitShop, faults: Faults, say: Callable[[str], object]
) -> tuple[Promises, float]:
    promises, closing_time = Promises(), asyncio.Event()
    now = asyncio.get_running_loop().time
    end = now() + plan.seconds
    async with asyncio.TaskGroup() as group:
        for number in range(plan.customers):
            customer = Customer(number, shop.address, SKUS, promises, Random(f"{plan.seed}/{number}"))
            group.create_task(customer.live(closing_time))
        while now() < end:
            await pause(faults.chance.uniform(*PAUSE_SECONDS))
            await faults.one(plan.faults)
            count = faults.done.total()
            if count % 10 == 0:
                say(f"{count} faults, {len(promises.orders)} orders promised, {end - now():.0f} s to go")
        healthy_seconds = await shop.healthy(patience_seconds=60.0)
        closing_time.set()
    return promises, healthy_seconds


async def _settle(shop: SplitShop, peace: float, say: Callable[[str], object]) -> None:
    """Wait until nothing is under way and every schedule goes on; what is parked stays, and is counted."""
    now = asyncio.get_running_loop().time
    deadline = now() + SETTLED_SECONDS
    while now() < deadline:
        await shop.copy_the_books()
        books = audit_of(shop)
        stopped = _stopped(shop, peace)
        if books.in_flight == books.parked and not books.waiting_events and not stopped:
            return
        waiting = f"{books.in_flight} orders under way, {books.waiting_events} events to be handled"
        say(f"{waiting}, {len(stopped)} schedules to run")
        await pause(2.0)


def _stopped(shop: SplitShop, since: float) -> list[str]:
    """The schedules that have not run for a due time after that moment."""
    found: list[str] = []
    for file in shop.data.glob("*.sqlite"):
        with closing(sqlite3.connect(file)) as books:
            if books.execute("SELECT 1 FROM sqlite_master WHERE name = 'ramet_schedule'").fetchone():
                rows = books.execute("SELECT name FROM ramet_schedule WHERE last_run < ?", (since,))
                found += [name for (name,) in rows]
    return found
