"""Code that is no service finds clients of contracts in the application around it."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ramet.contract.service import Contract, query
from ramet.errors import UsageError
from ramet.http.clients import Reach, blocking, client, current_reach


class Inventory(Contract, version="1.0.0"):
    @query
    async def stock(self, sku: str) -> int: ...


class Application:
    """Gives clients that answer with the length of what they are asked for."""

    def __init__(self) -> None:
        self.made = 0

    def client_outside(self, cls: type[Any]) -> Any:
        assert cls is Inventory
        self.made += 1
        return self

    async def stock(self, sku: str) -> int:
        return len(sku)


@pytest.fixture
async def application() -> Application:
    return Application()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as threads:
        yield threads


def run_in(application: Application) -> Reach:
    return Reach(source=application, loop=asyncio.get_running_loop())


async def test_a_client_made_before_the_application_runs(application: Application) -> None:
    inventory = client(Inventory)
    token = current_reach.set(run_in(application))
    assert await inventory.stock("tea") == 3
    assert await inventory.stock(sku="coffee") == 6
    current_reach.reset(token)
    assert application.made == 1


async def test_a_client_made_inside_remembers_where(application: Application) -> None:
    token = current_reach.set(run_in(application))
    inventory = client(Inventory)
    current_reach.reset(token)
    assert await inventory.stock("tea") == 3


async def test_a_thread_waits_for_the_answer(application: Application, threads: ThreadPoolExecutor) -> None:
    inventory = client(Inventory)
    token = current_reach.set(run_in(application))
    work = contextvars.copy_context()
    current_reach.reset(token)
    loop = asyncio.get_running_loop()
    assert await loop.run_in_executor(threads, work.run, blocking(inventory.stock), "tea") == 3


async def test_on_the_loop_it_would_wait_for_itself(application: Application) -> None:
    token = current_reach.set(run_in(application))
    with pytest.raises(UsageError, match="`await` the method"):
        blocking(client(Inventory).stock)("tea")
    current_reach.reset(token)


async def test_outside_of_an_application_the_error_says_what_to_do() -> None:
    with pytest.raises(UsageError, match=r"Inventory was called where no application is running: mount this program"):
        await client(Inventory).stock("tea")
    with pytest.raises(UsageError, match="no application is running"):
        blocking(client(Inventory).stock)("tea")


def test_a_method_that_the_contract_does_not_have() -> None:
    with pytest.raises(AttributeError, match="Inventory has no method price"):
        client(Inventory).price  # type: ignore[attr-defined]  # noqa: B018 - that is the mistake
    assert repr(client(Inventory)) == "client(Inventory)"
