"""A server in a process of its own, to be killed and frozen: prints its address, answers until it is ended."""

from __future__ import annotations

import asyncio
import sys

from ramet.clock import SystemClock
from ramet.tasks import Tasks
from ramet.transport.base import Call, Peer
from ramet.transport.options import TransportOptions
from ramet.transport.server import Server


async def answer(call: Call, _: Peer) -> bytes:
    if call.method == "shop.wait":
        await asyncio.Event().wait()
    return call.arguments


async def main(address: str) -> None:
    tasks = Tasks()
    options = TransportOptions(application="shop")
    server = Server(answer, None, clock=SystemClock(), spawn=tasks.spawn, options=options)
    sys.stdout.write(f"{await server.start(address)}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


asyncio.run(main(sys.argv[1]))
