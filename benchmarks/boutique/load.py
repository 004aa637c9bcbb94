"""The load of Online Boutique: users who do one task after the other, in the proportions of its load generator."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from benchmarks.boutique.systems import ORDER

CURRENCIES = ("EUR", "USD", "JPY", "CAD", "GBP", "TRY")
PRODUCTS = (
    "0PUK6V6EV0",
    "1YMWWN1N4O",
    "2ZYFJ3GM2N",
    "66VCHSJNUP",
    "6E92ZMYYFZ",
    "9SIQT8TOJO",
    "L9ECAV7KIM",
    "LS4PSXUNUM",
    "OLJCESPC7Z",
)
Asked = tuple[str, str, Any]


class Visitor:
    """One user: a session, a currency, and chance of his own; tells what he asks next."""

    def __init__(self, number: int, seed: int) -> None:
        self._chance = random.Random(seed * 1000 + number)
        self._session = f"00000000-0000-4000-8000-{seed:04}{number:08}"
        self._currency = "USD"
        self._tasks: Sequence[tuple[Callable[[], Iterator[Asked]], int]] = (
            (self._home, 1),
            (self._switch, 2),
            (self._browse, 10),
            (self._add, 2),
            (self._view, 3),
            (self._check_out, 1),
        )

    @property
    def cookies(self) -> str:
        """What his browser sends along."""
        return f"session={self._session}; shown_in={self._currency}"

    def task(self) -> Iterator[Asked]:
        """The requests of one task; redirects are followed, as the load generator does."""
        tasks, weights = zip(*self._tasks, strict=True)
        return self._chance.choices(tasks, weights)[0]()

    def _home(self) -> Iterator[Asked]:
        yield "GET", "/", None

    def _switch(self) -> Iterator[Asked]:
        self._currency = self._chance.choice(CURRENCIES)
        yield "POST", "/setCurrency", {"currency_code": self._currency}
        yield from self._home()

    def _browse(self) -> Iterator[Asked]:
        yield "GET", f"/product/{self._chance.choice(PRODUCTS)}", None

    def _view(self) -> Iterator[Asked]:
        yield "GET", "/cart", None

    def _add(self) -> Iterator[Asked]:
        product = self._chance.choice(PRODUCTS)
        yield "GET", f"/product/{product}", None
        yield "POST", "/cart", {"product_id": product, "quantity": self._chance.randint(1, 10)}
        yield from self._view()

    def _check_out(self) -> Iterator[Asked]:
        yield from self._add()
        year, month = self._chance.randint(2100, 2170), self._chance.randint(1, 12)
        card = {"credit_card_expiration_year": year, "credit_card_expiration_month": month}
        yield "POST", "/cart/checkout", {**ORDER, **card, "credit_card_cvv": self._chance.randint(100, 999)}


class Connection:
    """One that is kept alive, of one visitor."""

    def __init__(self, visitor: Visitor, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._visitor = visitor
        self._reader = reader
        self._writer = writer

    async def ask(self, asked: Asked) -> None:
        """Send a request and read all of its answer. Raises: RuntimeError where it is not a good one."""
        method, path, body = asked
        text = json.dumps(body).encode() if body is not None else b""
        head = [f"{method} {path} HTTP/1.1", "host: boutique", f"cookie: {self._visitor.cookies}"]
        if text:
            head += ["content-type: application/json", f"content-length: {len(text)}"]
        self._writer.write("\r\n".join([*head, "", ""]).encode() + text)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = answer.partition("content-length:")[2].partition("\r\n")[0].strip()
        found = await self._reader.readexactly(int(length)) if length else b""
        if not answer.startswith("http/1.1 20"):
            raise RuntimeError(f"{method} {path}: {answer}{found[:2000].decode()}")

    def close(self) -> None:
        """It is not asked again."""
        self._writer.close()


@dataclass
class Seen:
    """How long each request took, and by how much the load came late, in seconds."""

    taken: list[float] = field(default_factory=list)
    late: float = 0.0


class Visitors:
    """All users, each with a connection of his own."""

    def __init__(self, seed: int, connections: Sequence[tuple[Visitor, Connection]]) -> None:
        self._chance = random.Random(seed)
        self._all = connections

    async def paced(self, rate: float, seconds: float) -> Seen:
        """Tasks at given moments, at random, `rate` a second, whether those before have ended or not.

        A task waits for a user who has nothing under way; how late the last ones came says whether there were enough.
        """
        seen, free = Seen(), asyncio.Queue[tuple[Visitor, Connection]]()
        for one in self._all:
            free.put_nowait(one)
        began, at = perf_counter(), 0.0
        async with asyncio.TaskGroup() as group:
            while (at := at + self._chance.expovariate(rate)) < seconds:
                await asyncio.sleep(began + at - perf_counter())
                one = await free.get()
                seen.late = max(seen.late, perf_counter() - began - at)
                group.create_task(self._then_free(one, seen, free))
        return seen

    async def eager(self, seconds: float) -> Seen:
        """Each user does one task after the other without a pause."""
        seen, end = Seen(), perf_counter() + seconds

        async def busy(one: tuple[Visitor, Connection]) -> None:
            while perf_counter() < end:
                await _do(one, seen)

        async with asyncio.TaskGroup() as group:
            for one in self._all:
                group.create_task(busy(one))
        return seen

    async def _then_free(self, one: tuple[Visitor, Connection], seen: Seen, free: asyncio.Queue[Any]) -> None:
        await _do(one, seen)
        free.put_nowait(one)

    def close(self) -> None:
        """They leave."""
        for _, connection in self._all:
            connection.close()


async def _do(one: tuple[Visitor, Connection], seen: Seen) -> None:
    visitor, connection = one
    for asked in visitor.task():
        begun = perf_counter()
        await connection.ask(asked)
        seen.taken.append(perf_counter() - begun)


async def arrive(url: str, users: int, seed: int) -> Visitors:
    """Open the connections."""
    host, found = urlsplit(url), []
    for number in range(users):
        visitor = Visitor(number, seed)
        found.append((visitor, Connection(visitor, *await asyncio.open_connection(host.hostname, host.port))))
    return Visitors(seed, found)
