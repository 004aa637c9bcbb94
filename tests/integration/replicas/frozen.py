"""A process of `orders` that freezes at the worst moment: `python frozen.py URL`; what became of it is said after it.

It is a worker, holds alone what every unit of the others needs, has three more units waiting for the same, and has a
group of rows half written: among them the sign of life of everybody.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any

from ramet.clock import SystemClock
from ramet.errors import StorageError
from ramet.storage.base import Write
from ramet.storage.leases import Leases
from ramet.storage.postgres.storage import PostgresStorage
from ramet.tasks import Tasks


def say(text: str) -> None:
    """A line for whoever froze it."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def read(unit: Any) -> None:
    """A whole unit of work that runs again, and therefore alone."""
    await unit.fetch("SELECT 1")
    await unit.commit()


async def end(work: Any) -> str:
    """What came of it."""
    try:
        await work
    except StorageError as error:
        return type(error).__name__
    return "went well"


async def main(url: str) -> None:
    """Freeze, and go on when thawed."""
    tasks, storage = Tasks(), PostgresStorage("orders", url)
    await storage.open(())
    leases = Leases(storage, clock=SystemClock(), spawn=tasks.spawn)
    await leases.join()
    units = [storage.unit(eager=True) for _ in range(4)]
    await units[0].fetch("SELECT 1")
    waiting = [tasks.spawn(read(unit)) for unit in units[1:]]
    queued = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'ramet_turn'::regclass"
    while (await storage.fetch(queued))[0][0] < len(waiting):
        pass
    writer = await storage._writers[0].take()
    await writer.command("BEGIN")
    await writer.command("UPDATE ramet_saga SET status = status")
    before = leases.worker
    os.kill(os.getpid(), signal.SIGSTOP)
    say(f"commit: {await end(units[0].commit())}")
    await asyncio.gather(*waiting)  # had done nothing yet: they begin again
    storage._writers[0].undo(writer)
    while leases.worker == before:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0)
    say(f"then: {await end(storage.write(Write('UPDATE ramet_saga SET status = status WHERE id = ?', [('none',)])))}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
