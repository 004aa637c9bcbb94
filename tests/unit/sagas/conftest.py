"""Worlds that are closed after the test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from ramet.contract.saga import Saga
from tests.unit.sagas.world import World

MakeWorld = Callable[..., Awaitable[World]]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[MakeWorld]:
    """`await world(Checkout)` opens a service that runs these sagas."""
    made: list[World] = []

    async def make(*sagas: type[Saga], start: bool = True) -> World:
        one = World(tmp_path / f"{len(made)}.sqlite", *sagas)
        made.append(one)
        await one.open(start=start)
        return one

    yield make
    for one in made:
        await one.close()
