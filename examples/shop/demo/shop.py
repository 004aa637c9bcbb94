"""The shop in this process, on its embedded defaults, with a window onto its events and sagas."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from demo.goods import products
from demo.tally import Tally
from ramet.contract.reading import read
from ramet.model.topology import Deployment
from ramet.runtime.configuration import load
from ramet.runtime.preparing import create_tables
from ramet.runtime.process import Process
from ramet.runtime.running import Options, Running
from ramet.runtime.wiring import embedded
from shop.catalog.contract import Catalog
from shop.inventory.contract import Inventory, Line

FOLDER = Path(__file__).parent.parent
DATA = ".ramet/demo"
LEDGER = FOLDER / DATA / "cards.sqlite"


@asynccontextmanager
async def open_shop(tally: Tally, listen: str) -> AsyncIterator[tuple[str, Running]]:
    """A new shop with full shelves, which answers at the address that it gives."""
    shutil.rmtree(FOLDER / DATA, ignore_errors=True)
    (FOLDER / DATA).mkdir(parents=True)
    configuration = load(FOLDER / "ramet.toml")
    settings = {name: dict(values) for name, values in configuration.settings.items()}
    settings["payments"]["ledger"] = str(LEDGER)
    settings["notifications"] = {"outbox": str(FOLDER / DATA / "outbox")}
    configuration = dataclasses.replace(configuration, settings=settings)
    deployment = Deployment(name="demo", data=DATA, listen=listen)
    options = Options(settings=settings, environment=os.environ, report=tally.event, prepare=create_tables)
    running = Running(read(configuration.application), embedded(deployment, FOLDER), options)
    process = Process(configuration, deployment, running)
    ready = await process.start()
    running.services["orders"].engine.report = tally.saga
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
