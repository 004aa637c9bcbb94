"""`ramet replica`: what a supervisor spawns; not for people."""

from __future__ import annotations

import asyncio
import gc
import os
import signal

import msgspec

from ramet.cli.application import configuration, declared, run
from ramet.cli.command import Choices, command
from ramet.errors import UsageError
from ramet.model.topology import ASSIGNMENT, Assignment


@command(("ramet replica", "with its assignment in RAMET_ASSIGNMENT"))
def replica(choices: Choices) -> None:
    """Run one replica of a process group, as its supervisor has assigned."""
    from ramet.cli.logs import configure
    from ramet.runtime.orphans import end_with_parent

    configure()
    assignment = assigned()
    end_with_parent()
    gc.disable()  # until it is ready: whatever is made before then is kept
    run(_serve(choices, assignment))


replica.hidden = True


def assigned() -> Assignment:
    """From the environment. Raises: UsageError."""
    try:
        return msgspec.json.decode(os.environ.pop(ASSIGNMENT), type=Assignment)
    except KeyError:
        raise UsageError("A replica is run by a supervisor: use `ramet up`.") from None
    except msgspec.DecodeError as error:
        raise UsageError(f"{ASSIGNMENT} is no assignment: {error}. The supervisor may be of another release.") from None


async def _serve(choices: Choices, assignment: Assignment) -> None:
    from ramet.runtime.replica import Replica

    found = configuration(choices)
    one = Replica(found, declared(found), assignment)
    ending = asyncio.Event()
    one.discovery.on_drain(ending.set)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ending.set)
    await one.start()
    await ending.wait()
    await one.stop()
