"""`ramet replica` and `ramet zygote`: what a supervisor spawns; not for people."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

import click
import msgspec

from ramet.cli import output
from ramet.cli.application import configuration, declared, fastest_loop, run
from ramet.cli.command import Choices, command, failed
from ramet.errors import ConfigurationError, DeclarationError, RametError, StorageRefused, UsageError, is_foreseen
from ramet.model.topology import ASSIGNMENT, Assignment
from ramet.tasks import unless_stopped

if TYPE_CHECKING:
    from ramet.contract.declared import Declared
    from ramet.runtime.configuration import Configuration
    from ramet.runtime.replica import Replica


@command(("ramet replica", "with its assignment in RAMET_ASSIGNMENT"))
def replica(choices: Choices) -> int:
    """Run one replica of a process group, as its supervisor has assigned."""
    from ramet.cli.logs import configure
    from ramet.runtime.orphans import end_with_parent

    configure()
    assignment = assigned()
    end_with_parent()
    gc.disable()  # until it is ready: whatever is made before then is kept
    found = configuration(choices)
    return served(choices, _serve(found, _declared(found), assignment))


@command(("ramet zygote split", "with its connection in RAMET_ZYGOTE"))
@click.argument("deployment")
def zygote(choices: Choices, deployment: str) -> int:
    """Load the application once, and fork every replica of a deployment, as its supervisor assigns them."""
    from ramet.cli.logs import configure
    from ramet.runtime.orphans import end_with_parent
    from ramet.runtime.zygote import CONNECTION, descriptors, obstacle, serve

    configure()
    end_with_parent()
    gc.disable()
    if CONNECTION not in os.environ:
        raise UsageError("A zygote is run by a supervisor: use `ramet up`.")
    connection = socket.socket(fileno=int(os.environ.pop(CONNECTION)))
    before = descriptors()
    found = configuration(choices)
    application = _declared(found)
    _load(found, deployment)
    gc.collect()
    gc.freeze()  # what is looked at by a collection is written to, and shared no more
    assignment = serve(connection, obstacle(before))
    end_with_parent()
    return served(choices, _serve(found, application, assignment))


replica.hidden = zygote.hidden = True


def _declared(found: Configuration) -> Declared:
    """The declarations. Raises: ConfigurationError, so that a mistake is what the supervisor has heard last."""
    try:
        return declared(found)
    except DeclarationError as error:
        first, *others = (str(problem) for problem in error.problems)
        if others:
            output.problems([first, *others])
        more = f" (and {output.counted(len(others), 'other problem')})" if others else ""
        raise ConfigurationError(first + more) from error


def assigned() -> Assignment:
    """From the environment. Raises: UsageError."""
    try:
        return msgspec.json.decode(os.environ.pop(ASSIGNMENT), type=Assignment)
    except KeyError:
        raise UsageError("A replica is run by a supervisor: use `ramet up`.") from None
    except msgspec.DecodeError as error:
        raise UsageError(f"{ASSIGNMENT} is no assignment: {error}. The supervisor may be of another release.") from None


def served(choices: Choices, work: Coroutine[Any, Any, None]) -> int:
    """Run a replica; what it ends with tells its supervisor whether it makes sense to start it again."""
    from ramet.runtime.supervisor.patience import AWAY, BAD_INPUT, REFUSED

    try:
        run(work)
    except RametError as error:
        code = failed(choices, error)
        if code == BAD_INPUT:
            return code
        return AWAY if is_foreseen(error) and not isinstance(error, StorageRefused) else REFUSED
    return 0


def _load(found: Configuration, deployment: str) -> None:
    """Import what replicas are made of."""
    from ramet.runtime import replica as _  # noqa: F401 - what else a replica imports
    from ramet.runtime.wiring import load

    fastest_loop()
    load(found.deployment(deployment))


async def _serve(found: Configuration, application: Declared, assignment: Assignment) -> None:
    from ramet.runtime.holdups import Holdups
    from ramet.runtime.replica import Replica

    one = Replica(found, application, assignment)
    ending = asyncio.Event()
    one.discovery.on_drain(ending.set)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ending.set)
    with Holdups():
        if await unless_stopped(ending, _started(one)):
            await ending.wait()
            await one.stop()


async def _started(one: Replica) -> bool:
    await one.start()
    return True
