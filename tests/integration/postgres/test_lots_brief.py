"""Commands that execute one statement each: those of a lot leave in one piece, in an order that is theirs, too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from ramet.storage.base import Write
from ramet.storage.lots import lots
from ramet.storage.postgres.unit import PostgresUnit
from ramet.testing.engines.postgres import PostgresServer
from tests.integration.postgres.lots import ACCOUNTS, KEYS, MANY, Act, No, Service

pytestmark = pytest.mark.needs("postgresql")


class Brief:
    """A method whose commands have executed one statement each, so that those of a lot leave together."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.change = text("UPDATE account SET balance = balance + :amount, version = version + 1 WHERE id <= :id")

    async def prepare(self) -> None:
        rows = [(number, 0, 0) for number in range(ACCOUNTS)]
        await self.service.storage.write(Write("INSERT INTO account VALUES (?, ?, ?)", rows))
        for turn in range(2):
            await asyncio.gather(*(self.add(f"warm {turn}/{number}", 0) for number in range(3)))

    async def add(self, key: str, amount: object, account: object = 0, then: Act | None = None) -> str:
        async def act(_: str) -> str:
            found = await self.service.db.execute(self.change, {"amount": amount, "id": account})
            return f"{await then(key) if then else ''}{found.rowcount}"

        return await self.service.command(key, act, "brief")

    async def balances(self) -> list[int]:
        return [row[0] for row in await self.service.storage.fetch("SELECT balance FROM account ORDER BY id")]


@pytest.fixture
async def brief(service: Service) -> Brief:
    made = Brief(service)
    await made.prepare()
    return made


def sendings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many statements were put each time."""
    found: list[int] = []
    send = PostgresUnit.send

    def counted(unit: PostgresUnit, failed: Callable[[int], object]) -> None:
        found.append(len(unit._put))
        send(unit, failed)

    monkeypatch.setattr(PostgresUnit, "send", counted)
    return found


async def test_single_statements_leave_together_and_each_is_told_its_own_rows(
    brief: Brief, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = sendings(monkeypatch)
    works = [brief.add(key, 1, account=number % 4 - 1) for number, key in enumerate(KEYS)]
    assert await asyncio.gather(*works) == [str(number % 4) for number in range(MANY)]
    assert found == [MANY]
    assert await brief.balances() == [15, 10, 5]


@pytest.mark.parametrize("amount", ["one", 2**40, None])
async def test_a_value_that_does_not_fit_is_its_own_commands_error(brief: Brief, amount: object) -> None:
    works = [brief.add(key, amount if key == "10" else 1) for key in KEYS]
    ends = await asyncio.gather(*works, return_exceptions=True)
    assert isinstance(ends.pop(10), DBAPIError)
    assert set(ends) == {"1"}
    assert await brief.balances() == [MANY - 1, 0, 0]


async def test_who_has_more_to_do_after_others_takes_all_back(brief: Brief, monkeypatch: pytest.MonkeyPatch) -> None:
    found = sendings(monkeypatch)
    works = [brief.add(key, 1, then=brief.service.mark if key == "10" else None) for key in KEYS]
    ends = await asyncio.gather(*works)
    assert ends.pop(10) == "answer to 101"
    assert set(ends) == {"1"}
    assert await brief.service.marks() == ["10"]
    assert await brief.balances() == [MANY, 0, 0]
    await asyncio.gather(*(brief.add(f"again {key}", 1) for key in KEYS))
    assert found[0] == MANY
    assert sum(found) == found[0]
    assert await brief.balances() == [2 * MANY, 0, 0]


@pytest.mark.parametrize("error", [No, LookupError])
async def test_one_of_those_that_left_together_may_fail(brief: Brief, error: type[Exception]) -> None:
    async def fail(_: str) -> object:
        raise error

    works = [brief.add(key, 1, then=fail if key == "10" else None) for key in KEYS]
    ends = await asyncio.gather(*works, return_exceptions=True)
    assert isinstance(ends.pop(10), error)
    assert set(ends) == {"1"}
    assert await brief.balances() == [MANY - 1, 0, 0]


async def test_a_row_that_is_there_is_the_error_of_who_inserts_it(service: Service) -> None:
    for turn in range(2):
        await asyncio.gather(*(service.command(f"warm {turn} {key}", service.mark) for key in KEYS))
    await service.storage.write(Write("INSERT INTO mark VALUES (?)", [("10",)]))
    ends = await asyncio.gather(*(service.command(key, service.mark) for key in KEYS), return_exceptions=True)
    assert isinstance(ends.pop(10), IntegrityError)
    assert ends == [f"answer to {key}" for key in KEYS if key != "10"]
    assert await service.answered() == [key for key in KEYS if key != "10"]


async def test_who_had_nothing_to_execute_is_not_taken_for_who_failed(service: Service) -> None:
    async def nothing(key: str) -> str:
        return key

    for turn in range(3):
        works = [service.command(f"warm {turn} {key}", service.mark) for key in KEYS]
        await asyncio.gather(*works, *(service.command(f"warm {turn} no {key}", nothing, "no") for key in KEYS))
    await service.storage.write(Write("INSERT INTO mark VALUES (?)", [("01",)]))
    works = [service.command("first", nothing, "no"), *(service.command(f"no {key}", nothing, "no") for key in KEYS)]
    ends = await asyncio.gather(*works, *(service.command(key, service.mark) for key in KEYS), return_exceptions=True)
    assert [number for number, end in enumerate(ends) if isinstance(end, IntegrityError)] == [MANY + 2]
    nothings = [service.command(f"again {key}", nothing, "no") for key in KEYS]
    await asyncio.gather(*nothings, *(service.command(f"mark {key}", service.mark) for key in KEYS))
    assert service.together(*(f"again {key}" for key in KEYS))
    assert len({id(service.units[f"mark {key}"]) for key in KEYS}) == MANY


async def test_a_slow_statement_is_executed_to_its_end_by_itself(service: Service) -> None:
    async def sleepy(key: str) -> str:
        slow = text("INSERT INTO mark SELECT :key FROM pg_sleep(:seconds)")
        await service.db.execute(slow, {"key": key, "seconds": 1.5 if key == "10" else 0.0})
        return key

    await service.command("warm sleepy", sleepy, "sleepy")
    for turn in range(2):
        await asyncio.gather(*(service.command(f"warm {turn} {key}", sleepy, "sleepy") for key in KEYS))
    assert await asyncio.gather(*(service.command(key, sleepy, "sleepy") for key in KEYS)) == KEYS
    assert await service.marks() == KEYS
    assert service.runs["10"] == 2


async def test_a_connection_that_is_lost_while_all_wait_leaves_nothing_behind(
    brief: Brief, server: PostgresServer
) -> None:
    admin = await asyncpg.connect(f"{server.url}/postgres")
    blocker = admin.transaction()
    await blocker.start()
    await admin.execute(f'UPDATE "{brief.service.storage.schema}".account SET version = version WHERE id = 0')
    works = [brief.add("outside", 1, account=-1), *(brief.add(key, 1) for key in KEYS)]
    everybody = asyncio.gather(*works)
    blocked = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    while (pid := await admin.fetchval(blocked)) is None:  # noqa: ASYNC110 - as above
        await asyncio.sleep(0)
    await admin.execute("SELECT pg_terminate_backend($1)", pid)
    await blocker.rollback()
    await admin.close()
    assert await everybody == ["0", *["1"] * MANY]
    assert await brief.balances() == [MANY, 0, 0]


async def test_all_that_left_together_are_cancelled_at_once(brief: Brief) -> None:
    works = [asyncio.ensure_future(brief.add(key, 1)) for key in KEYS]
    while not any(getattr(brief.service.units.get(key), "_members", None) for key in KEYS):  # noqa: ASYNC110 - no event
        await asyncio.sleep(0)
    for work in works:
        work.cancel()
    await asyncio.wait(works)
    answered = [key for key in await brief.service.answered() if not key.startswith("warm")]
    assert await brief.balances() == [len(answered), 0, 0]
    assert await asyncio.gather(*(brief.add(key, 1) for key in KEYS)) == ["1"] * MANY
    assert await brief.balances() == [MANY, 0, 0]


async def test_those_for_whom_a_lot_has_no_room_are_in_the_next(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though nobody comes after them, and nobody waits for the lot any more."""
    monkeypatch.setattr(lots, "MOST", 5)
    sleeping = text("INSERT INTO mark SELECT :key FROM pg_sleep(:seconds)")

    async def sleepy(key: str) -> str:
        await service.db.execute(sleeping, {"key": key, "seconds": 0.1 if key == "03" else 0.0})
        return key

    for turn in range(3):
        await asyncio.gather(*(service.command(f"warm {turn} {key}", sleepy, "sleepy") for key in KEYS))
    await asyncio.gather(*(service.command(key, sleepy, "sleepy") for key in KEYS))
    assert await service.marks() == KEYS
    assert service.together(*KEYS[:5])
    assert len({id(service.units[key]) for key in KEYS}) == MANY // 5


async def test_who_comes_to_no_statement_harms_nobody(brief: Brief, monkeypatch: pytest.MonkeyPatch) -> None:
    """One fails before it, one waits for something else, one wants to read."""
    found, service = sendings(monkeypatch), brief.service

    async def fails(_: str) -> None:
        raise No

    async def waits(key: str) -> object:
        await asyncio.sleep(0)
        return await service.mark(key)

    async def reads(_: str) -> object:
        return (await service.db.execute(text("SELECT count(*) FROM mark"))).scalar_one()

    for name in ("fails", "waits", "reads"):
        await service.warm(name)
    others = [service.command(act.__name__, act, act.__name__) for act in (fails, waits, reads)]
    ends = await asyncio.gather(*(brief.add(key, 1) for key in KEYS), *others, return_exceptions=True)
    assert set(ends[:MANY]) == {"1"}
    assert isinstance(ends[MANY], No)
    assert found == [MANY]
    assert max(service.runs[key] for key in KEYS) == 1
    assert [service.runs[name] for name in ("fails", "waits", "reads")] == [2, 2, 2]
