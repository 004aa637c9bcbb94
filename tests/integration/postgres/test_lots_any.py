"""Any commands, in any number of processes: what they leave is as if one had come after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from random import Random

import pytest
from sqlalchemy import text

from ramet.storage.base import Write
from ramet.storage.lots.lot import Bounds
from tests.integration.postgres.lots import ACCOUNTS, MakeService, No, Service

pytestmark = pytest.mark.needs("postgresql")

AMOUNTS = (-30, -10, 10, 20)


class Accounts:
    """Commands that read rows and write what follows from them; each tells what it has read and written."""

    def __init__(self, services: Sequence[Service], random: Random) -> None:
        self.services = services
        self.random = random
        self.versions: dict[int, dict[int, tuple[int, int]]] = {number: {} for number in range(ACCOUNTS)}
        self.blind: dict[int, list[int]] = {number: [] for number in range(ACCOUNTS)}

    async def step(self, service: Service, kind: str, account: int, amount: int) -> str:
        query = text("SELECT version, balance FROM account WHERE id = :id")
        version, balance = (await service.db.execute(query, {"id": account})).one()
        if balance + amount < 0:
            raise No
        if kind == "sleeps":
            await asyncio.sleep(0)
        change = text("UPDATE account SET version = :version, balance = :balance WHERE id = :id")
        values = {"version": version + 1, "balance": balance + amount, "id": account}
        if kind == "session":
            async with service.db.session() as session:
                await session.execute(change, values)
        else:
            await service.db.execute(change, values)
        return f"{account} {version} {balance} {balance + amount}"

    async def brief(self, service: Service, key: str, account: int, amount: int) -> None:
        """What changes a row without looking: it cannot say what it has seen."""
        change = text(
            "UPDATE account SET version = version + 1, balance = balance + :amount "
            "WHERE id = :id AND balance + :amount >= 0"
        )

        async def act(_: str) -> str:
            if (await service.db.execute(change, {"id": account, "amount": amount})).rowcount == 0:
                raise No
            return key

        with suppress(No):
            await service.command(key, act, "brief")
            self.blind[account].append(amount)

    async def one(self, number: int) -> None:
        random = self.random
        service, kind = random.choice(self.services), random.choice(["plain"] * 12 + ["sleeps", "session", "fails"])
        steps = [(one, random.choice(AMOUNTS)) for one in random.sample(range(ACCOUNTS), 1 + number % 2)]
        if number % 3 == 0:
            await self.brief(service, f"{number}", *steps[0])
            return

        async def act(_: str) -> str:
            told = ";".join([await self.step(service, kind, *step) for step in steps])
            if kind == "fails":
                raise LookupError
            return told

        with suppress(No, LookupError):
            for told in (await service.command(f"{number}", act, kind)).split(";"):
                account, version, before, after = map(int, told.split())
                assert version not in self.versions[account]
                self.versions[account][version] = before, after


@pytest.mark.parametrize("seed", range(6))
async def test_any_commands_are_as_if_one_had_come_after_the_other(storages: MakeService, seed: int) -> None:
    accounts = Accounts([await storages(Bounds()) for _ in range(1 + seed % 2)], Random(seed))
    storage = accounts.services[0].storage
    await storage.write(Write("INSERT INTO account VALUES (?, 0, 100)", [(number,) for number in range(ACCOUNTS)]))
    await asyncio.gather(*(accounts.one(number) for number in range(120)))
    for account, version, balance in await storage.fetch("SELECT id, version, balance FROM account"):
        seen, blind = accounts.versions[account], accounts.blind[account]
        assert version == len(seen) + len(blind)
        assert balance == 100 + sum(after - before for before, after in seen.values()) + sum(blind)
        assert all(seen[number][1] == seen[number + 1][0] for number in seen if number + 1 in seen)
