"""A supervisor with stand-in replicas, as tests hold it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ramet.clock import SystemClock
from ramet.model.topology import Deployment
from ramet.runtime.planning import Placed, Placement
from ramet.runtime.supervisor.member import Member
from ramet.runtime.supervisor.patience import Patience
from ramet.runtime.supervisor.supervisor import Setup, Supervisor

STAND_IN = Path(__file__).with_name("stand_in.py")
PATIENCE_SECONDS = 60.0
HOW = (False, True) if sys.platform == "linux" else (False,)
"""Whether replicas are forked from a zygote: where they can be, every test is done in both ways."""
QUICK = Patience(
    first_pause=0.05,
    longest_pause=0.2,
    attempts=3,
    refusals=2,
    silent=1.5,
    frozen=3.0,
    place=0.5,
    forking=0.5,
    drain=10.0,
    look=0.1,
)


def placed(name: str, replicas: int = 1, **rest: object) -> Placed:
    return Placed(name=name, services=(name,), replicas=replicas, **rest)  # type: ignore[arg-type]  # keywords


EDGE = placed("edge", 2, public=("edge",), prefixes=("/api",), listen="127.0.0.1:0", calls=("rest",))
REST = placed("rest", called_by=("edge",))


class Held:
    """A running supervisor, what its replicas have said, and the folder that tells them how to behave."""

    def __init__(self, folder: Path, groups: tuple[Placed, ...], deployment: Deployment, *, forks: bool) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.supervisor = Supervisor(
            Setup(
                application="x",
                folder=folder,
                deployment=deployment,
                placement=Placement(deployment="split", storage="", broker="", groups=groups),
                show=lambda who, text: self.said.append(f"{who} {text}"),
                command=(sys.executable, str(STAND_IN)),
                zygote=(sys.executable, str(STAND_IN)) if forks else (),
                patience=QUICK,
            )
        )

    def behave(self, *lines: str) -> None:
        """What replicas that start from now on do."""
        (self.folder / "behaviour").write_text("\n".join(lines), encoding="utf-8")

    def members(self, group: str) -> list[Member]:
        return self.supervisor.keepers[group].members

    def pids(self, group: str) -> set[int]:
        return {member.child.pid for member in self.members(group) if member.child is not None}

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for a condition."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition():
                await SystemClock().sleep(0.01)


Holding = Callable[..., "asynccontextmanager[Held]"]


@pytest.fixture(params=HOW, ids=lambda forks: "forked" if forks else "spawned")
def held(tmp_path: Path, request: pytest.FixtureRequest):  # its type says less than its use
    @asynccontextmanager
    async def holding(
        *groups: Placed, behaviour: tuple[str, ...] = (), deployment: Deployment | None = None
    ) -> AsyncIterator[Held]:
        chosen = deployment or Deployment(name="split", data=".ramet/split", storage="elsewhere")
        one = Held(tmp_path, groups or (EDGE, REST), chosen, forks=request.param)
        one.behave(*behaviour)
        await one.supervisor.start()
        try:
            await one.supervisor.settled()
            yield one
        finally:
            await one.supervisor.stop()

    return holding
