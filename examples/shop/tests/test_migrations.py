"""The tables are what the migrations make of an empty database."""

from __future__ import annotations

from pathlib import Path

from ramet.contract.reading.application import read
from ramet.runtime.configuration import load
from ramet.runtime.migrating import Databases

SHOP = load(Path(__file__).parent.parent / "ramet.toml")


async def test_the_tables_of_every_service_equal_the_sum_of_its_migrations() -> None:
    databases = Databases(read(SHOP.application), SHOP, SHOP.deployment())

    differences = [await databases.check(service, database=False) for service in databases.chosen(None)]

    assert len(differences) == 7
    assert [line for difference in differences for line in difference.lines] == []
