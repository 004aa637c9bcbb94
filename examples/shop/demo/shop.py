"""The shop in this process, on its embedded defaults, with a window onto its events and sagas."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec.structs import replace

from demo.goods import products
from demo.tally import Tally
from ramet.contract.reading.application import read
from ramet.runtime.configuration import load
from ramet.runtime.migrating import prepare
from ramet.runtime.process import Process
from ramet.runtime.running import Options, Running
from ramet.runtime.wiring import embedded
from shop.catalog.contract import Catalog
from shop.inventory.contract import Inventory, Line

FOLDER = Path(__file__).parent.parent


@asynccontextmanager
async def open_shop(tally: Tally, listen: str, data: Path) -> AsyncIterator[tuple[str, Running]]:
    """A new shop with full shelves; gives the address at which it answers."""
    configuration = load(FOLDER / "ramet.toml")
    settings = {name: dict(values) for name, values in configuration.settings.items()}
    settings["payments"]["ledger"] = str(data / "cards.db")
    settings["notifications"] = {"outbox": str(data / "outbox")}
    configuration = dataclasses.replace(configuration, settings=settings)
    deployment = replace(configuration.deployment("demo"), data=str(data), listen=listen)
    options = Options(settings=settings, environment=os.environ, report=tally.event, prepare=prepare)
    running = Running(read(configuration.application), embedded(deployment, FOLDER), options)
    process = Process(configuration, deployment, running)
    ready = await process.start()
    sagas = running.services["orders"].engine
    assert sagas is not None
    sagas.report = tally.saga
    try:
        await running.client(Catalog).add(products())
        await restock(running)
        yield ready.url, running
    finally:
        await process.stop()


async def restock(running: Running) -> None:
    """The supplier brings fifty of whatever is scarce."""
    inventory = running.client(Inventory)
    scarce = [product.sku for product in products() if await inventory.stock(product.sku) < 10]
    await inventory.receive(tuple(Line(sku=sku, quantity=50) for sku in scarce))


async def supply(running: Running) -> None:
    while True:
        await asyncio.sleep(10)
        await restock(running)
