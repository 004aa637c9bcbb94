"""The kill test itself: load, kill, restart, and in the end the comparison of the books."""

from __future__ import annotations

import asyncio
import importlib.util
import math
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tests.chaos.customers import Customer, Promises
from tests.chaos.shop_process import EXAMPLE, ShopProcess, pause

SKUS = tuple(f"thing-{number}" for number in range(40))
PATIENCE_SECONDS = 120.0
LONGEST_LIFE_SECONDS = 0.8


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How often the shop is killed, how many customers there are, and the seed of all chance."""

    kills: int
    customers: int = 12
    seed: int = 1


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What came of it."""

    plan: Plan
    promises: Promises
    books: Any
    violations: tuple[str, ...]

    def __str__(self) -> str:
        promised = f"{len(self.promises.orders)} orders promised"
        lines = [
            f"kills   {self.plan.kills}, seed {self.plan.seed}",
            f"load    {self.promises.requests} requests, {self.promises.repeated} repeated, {promised}",
            str(self.books),
        ]
        return "\n".join([*lines, *(f"WRONG   {violation}" for violation in self.violations)])


async def run(plan: Plan, *, say: Callable[[str], object]) -> Ledger:
    """Kill the shop that often under load, let it finish, and audit."""
    with tempfile.TemporaryDirectory(prefix="ramet-chaos-") as folder:
        shop = ShopProcess(Path(folder))
        try:
            await shop.start()
            shop.fill_the_shelves(SKUS, 100_000)
            promises = await _under_load(plan, shop, say)
            await _settle(shop)
            shop.stop()
            books = audit_of(shop)
            given_up = [f"{books.dead_letters} events were given up"] if books.dead_letters else []
            violations = (
                *books.violations,
                *promises.contradictions,
                *broken(promises, shop),
                *unheard(shop),
                *disordered(shop),
                *given_up,
            )
            if violations:
                say(f"what the shop has said, and its books, are kept in {shop.keep()}")
            return Ledger(plan=plan, promises=promises, books=books, violations=violations)
        finally:
            shop.kill()


async def _under_load(plan: Plan, shop: ShopProcess, say: Callable[[str], object]) -> Promises:
    promises, closing_time, chance = Promises(), asyncio.Event(), Random(plan.seed)
    async with asyncio.TaskGroup() as group:
        for number in range(plan.customers):
            customer = Customer(number, shop.address, SKUS, promises, Random(f"{plan.seed}/{number}"))
            group.create_task(customer.live(closing_time))
        for kill in range(1, plan.kills + 1):
            await pause(chance.uniform(0.0, LONGEST_LIFE_SECONDS))
            shop.kill()
            await shop.start()
            if kill % 10 == 0 or kill == plan.kills:
                say(f"{kill} of {plan.kills} kills, {len(promises.orders)} orders promised")
        closing_time.set()
    return promises


async def _settle(shop: ShopProcess) -> None:
    """Wait until nothing is under way any more; what is parked stays, and is counted."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE_SECONDS
    while loop.time() < deadline:
        books = audit_of(shop)
        if books.in_flight == books.parked and not books.waiting_events:
            return
        await pause(0.2)


def audit_of(shop: ShopProcess) -> Any:
    """The books of the shop."""
    spec = importlib.util.spec_from_file_location("shop_audit", EXAMPLE / "audit.py")
    assert spec is not None and spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.audit(shop.data, shop.ledger)


def broken(promises: Promises, shop: ShopProcess) -> Iterator[str]:
    """Orders that a customer was promised, and the shop does not know or has not finished."""
    with closing(sqlite3.connect(shop.data / "orders.sqlite")) as orders:
        status = dict(orders.execute("SELECT id, status FROM orders").fetchall())
    for key, order_id in promises.orders.items():
        if order_id not in status:
            yield f"the order {order_id}, promised for {key}, is lost"
        elif status[order_id] not in ("confirmed", "cancelled"):
            yield f"the order {order_id} is still {status[order_id]}"


def unheard(shop: ShopProcess) -> Iterator[str]:
    """Subscribers that have not handled each event once; a second time is kept out by the inbox's primary key."""
    for file in sorted(shop.data.glob("*.sqlite")):
        with closing(sqlite3.connect(file)) as subscriber:
            subscriptions = subscriber.execute("SELECT consumer, topic, since FROM ramet_subscription").fetchall()
            for consumer, topic, since in subscriptions:
                handled = _column(subscriber, "SELECT key FROM ramet_inbox WHERE consumer = ?", f"event:{consumer}")
                published = _published(shop, topic, since)
                if handled != published:
                    yield (
                        f"{consumer} has not handled {len(published - handled)} of {len(published)} events {topic}, "
                        f"and {len(handled - published)} that were never published"
                    )


def disordered(shop: ShopProcess) -> Iterator[str]:
    """Subscribers that have handled an event before another of its key that was published earlier."""
    for file in sorted(shop.data.glob("*.sqlite")):
        with closing(sqlite3.connect(file)) as subscriber:
            for consumer, topic in subscriber.execute("SELECT consumer, topic FROM ramet_subscription").fetchall():
                handled = "SELECT key, at FROM ramet_inbox WHERE consumer = ?"
                moments = dict(subscriber.execute(handled, (f"event:{consumer}",)).fetchall())
                newest: dict[str, float] = {}
                for event, key in _in_order(shop, topic):
                    if moments.get(event, math.inf) < newest.get(key, 0.0):
                        yield f"{consumer} has handled {topic} {event} of {key} after a later one"
                    newest[key] = max(moments.get(event, 0.0), newest.get(key, 0.0))


def _in_order(shop: ShopProcess, topic: str) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(shop.data / f"{topic.partition('.')[0]}.sqlite")) as publisher:
        query = "SELECT event_id, key FROM ramet_outbox WHERE topic = ? AND key IS NOT NULL ORDER BY seq"
        return publisher.execute(query, (topic,)).fetchall()


def _published(shop: ShopProcess, topic: str, since: float) -> set[str]:
    with closing(sqlite3.connect(shop.data / f"{topic.partition('.')[0]}.sqlite")) as publisher:
        return _column(publisher, "SELECT event_id FROM ramet_outbox WHERE topic = ? AND at >= ?", topic, since)


def _column(database: sqlite3.Connection, query: str, *values: object) -> set[str]:
    return {value for (value,) in database.execute(query, values)}
