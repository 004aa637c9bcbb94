"""A supervisor as a program of its own, so that it can be killed; says the process ids of its replicas."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from ramet.model.topology import Deployment
from ramet.runtime.planning import Placed, Placement
from ramet.runtime.supervisor.supervisor import Setup, Supervisor

STAND_IN = (sys.executable, str(Path(__file__).with_name("stand_in.py")))


async def main(folder: Path, *, forks: bool) -> None:
    groups = (Placed(name="rest", services=("rest",), replicas=2),)
    setup = Setup(
        application="x",
        folder=folder,
        deployment=Deployment(name="split", data=".ramet/split", storage="elsewhere"),
        placement=Placement(deployment="split", storage="", broker="", groups=groups),
        show=lambda *_: None,
        command=STAND_IN,
        zygote=STAND_IN if forks else (),
    )
    supervisor = Supervisor(setup)
    await supervisor.start()
    await supervisor.settled()
    pids = [member.child.pid for member in supervisor.keepers["rest"].members if member.child is not None]
    sys.stdout.write(f"{' '.join(map(str, pids))}\n")
    sys.stdout.flush()
    await supervisor.stopping.wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), forks=sys.argv[2:] == ["forked"]))
