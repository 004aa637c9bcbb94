"""Whatever becomes of who has asked for a fork, the next is given a replica of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from ramet.clock import SystemClock
from ramet.model.topology import Assignment
from ramet.runtime.supervisor.child import Child
from ramet.runtime.supervisor.zygotes import Loading, Zygotes
from ramet.tasks import Tasks

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere replicas are spawned")

PROGRAM = """
import os, socket, sys, time
from pathlib import Path
from ramet.runtime.zygote import CONNECTION, serve
held, begun, loading = Path("held"), Path("begun"), Path("loading")
with open("loaded", "a") as loaded:
    loaded.write(".")
loading.touch()
while Path("slow").exists():
    time.sleep(0.01)
connection = socket.socket(fileno=int(os.environ[CONNECTION]))
recv_fds = socket.recv_fds
def slowly(*args):
    found = recv_fds(*args)
    begun.touch()
    while held.exists():
        time.sleep(0.01)
    return found
socket.recv_fds = slowly
assignment = serve(connection, "")
print(assignment.replica, flush=True)
"""


class Held:
    """Zygotes whose forks wait as long as a file is there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tasks = Tasks()
        self.said: list[str] = []
        self.zygotes = Zygotes(
            Loading(
                command=(sys.executable, "-c", PROGRAM),
                folder=folder,
                environment=dict(os.environ),
                said=lambda _: None,
                forking_seconds=60.0,
            ),
            self.tasks.spawn,
        )

    def fork(self, replica: int) -> asyncio.Task[Child | None]:
        assignment = Assignment(deployment="test", group="edge", replica=replica, hosts=(), internal="", version="1")
        return self.tasks.spawn(self.zygotes.fork(assignment, self.said.append))

    async def there(self, name: str) -> None:
        while not (self.folder / name).exists():
            await SystemClock().sleep(0.01)

    @property
    def loaded(self) -> int:
        return len((self.folder / "loaded").read_text())

    async def speaks(self, child: Child | None, word: str) -> None:
        assert child is not None
        assert await child.ended() == 0
        assert self.said == [word]

    async def end(self) -> None:
        await self.zygotes.close()
        await self.tasks.stop()


async def test_who_is_forked_is_not_disturbed_by_a_restart(tmp_path: Path) -> None:
    it = Held(tmp_path)
    (tmp_path / "held").touch()
    first = it.fork(1)
    await it.there("begun")
    it.zygotes.renew()
    (tmp_path / "held").unlink()
    await it.speaks(await first, "1")
    it.said.clear()
    await it.speaks(await it.fork(2), "2")
    assert it.loaded == 2
    await it.end()


async def test_the_answer_to_who_was_cancelled_is_not_taken_for_that_to_the_next(tmp_path: Path) -> None:
    it = Held(tmp_path)
    (tmp_path / "held").touch()
    first = it.fork(1)
    await it.there("begun")
    first.cancel()
    await asyncio.wait({first})
    (tmp_path / "held").unlink()
    await it.speaks(await it.fork(2), "2")
    await it.end()


async def test_the_next_is_forked_too_where_who_waited_for_the_loading_was_cancelled(tmp_path: Path) -> None:
    it = Held(tmp_path)
    (tmp_path / "slow").touch()
    first = it.fork(1)
    await it.there("loading")
    first.cancel()
    await asyncio.wait({first})
    (tmp_path / "slow").unlink()
    await it.speaks(await it.fork(2), "2")
    await it.end()
