"""One participant of the full sagas of Ramet in a process of its own, over a Unix socket; serves until it is ended."""

from __future__ import annotations

import asyncio

import uvloop

from benchmarks.contenders import arguments
from benchmarks.contenders.http_server import announce
from benchmarks.contenders.ramet_alive import alive
from benchmarks.contenders.sagas_declared import LettersService, MoneyService, ParcelsService, StockService
from ramet.clock import SystemClock
from ramet.tasks import Tasks
from ramet.transport.options import TransportOptions
from ramet.transport.policy.bulkhead import Bulkhead
from ramet.transport.server import Server

SERVICES = {"stock": StockService, "money": MoneyService, "parcels": ParcelsService, "letters": LettersService}


async def serve(folder: str, name: str, storage: str) -> None:
    """As a replica does: calls are admitted, answered and recorded."""
    clock, tasks = SystemClock(), Tasks()
    async with alive(folder, SERVICES[name], storage=storage) as running:
        options = TransportOptions(application="bench", name=name, bulkhead=Bulkhead())
        server = Server(running.answering, None, clock=clock, spawn=tasks.spawn, options=options)
        announce(await server.start(f"unix:{folder}/{name}.sock"))
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(**arguments()))
