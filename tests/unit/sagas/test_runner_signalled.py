"""An event that is there, durably, reaches its saga, whatever looking for that saga comes to."""

from __future__ import annotations

from pathlib import Path

import pytest

from ramet.errors import StorageUnavailable
from ramet.sagas.journal import Journal
from tests.unit.sagas.test_custody import Approval, Approved
from tests.unit.sagas.world import World


async def test_a_saga_that_could_not_be_found_is_looked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, find, failures = World(tmp_path / "orders.db", Approval), Journal.find, [StorageUnavailable("It is away.")]

    async def fails_once(journal: Journal, name: str, key: str) -> str | None:
        if failures:
            raise failures.pop()
        return await find(journal, name, key)

    monkeypatch.setattr(Journal, "find", fails_once)
    await world.open()
    saga = await world.start(Approval, "2", Approval.State(order="2"))
    await world.run(1)
    await world.publish(Approval, Approved(order="2"))
    await world.run(2)
    assert not failures
    assert await world.status(saga) == "completed"
    await world.close()
