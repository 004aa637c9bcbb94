"""A replica without services: registers, answers HTTP on the inherited socket, drains; misbehaves when a file says so.

The file `behaviour` beside it holds a word for a group: "rest=crash" ends it at the start with code 1, "rest=refuse"
with code 2, "rest=78" with that and a sentence; "rest=hang" keeps it from becoming ready, "rest=block" its loop, too.
The same program is a zygote where it is given the connection of one: "zygote=thread" has started a thread by then,
"zygote=process" a process, "zygote=file" has a file open, "zygote=crash" ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import msgspec

from ramet.clock import SystemClock
from ramet.model.topology import ASSIGNMENT, Assignment
from ramet.runtime.discovery.base import Discovery
from ramet.runtime.discovery.supervised import SupervisedDiscovery
from ramet.runtime.operators.requests import Counts, Traffic
from ramet.runtime.orphans import end_with_parent
from ramet.runtime.zygote import CONNECTION, descriptors, obstacle, serve
from ramet.tasks import Tasks
from ramet.transport.base import Endpoint
from ramet.transport.listening import stop_accepting

LOADED_BY = os.getpid()
TURNS = 10
"""Of the loop, after which whoever was accepted is served."""


def behaviour(group: str) -> str:
    """What the file says of a group."""
    lines = Path("behaviour").read_text(encoding="utf-8").splitlines() if Path("behaviour").exists() else []
    return next((line.partition("=")[2] for line in lines if line.partition("=")[0] == group), "")


def say(text: str) -> None:
    """A line for the log."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def answer(assignment: Assignment, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request: who answers it."""
    with contextlib.suppress(asyncio.IncompleteReadError):
        await reader.readuntil(b"\r\n\r\n")
        body = f"{assignment.group}/{assignment.replica} {os.getpid()} {assignment.version}".encode()
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
    writer.close()


async def finish(server: asyncio.Server | None, idle: asyncio.Event, discovery: Discovery) -> None:
    """Accept nobody any more, wait for those who are there, and hang up."""
    if server is not None:
        await stop_accepting(server)
    await idle.wait()
    await discovery.close()


async def run(assignment: Assignment) -> None:
    tasks, ending = Tasks(), asyncio.Event()
    say(f"was loaded by {LOADED_BY}")
    discovery = SupervisedDiscovery(assignment, clock=SystemClock(), spawn=tasks.spawn)
    discovery.on_drain(ending.set)
    for group in assignment.groups:
        discovery.watch(group, lambda found, group=group: say(f"sees {group} {len(found or ())}"))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    await discovery.start()
    if behaviour(assignment.group) == "block":
        say("blocks")
        threading.Event().wait()
    if behaviour(assignment.group) == "hang":
        say("hangs")
        await ending.wait()
        return
    await discovery.register(
        Endpoint(
            address=assignment.internal,
            group=assignment.group,
            replica=assignment.replica,
            version=assignment.version,
        )
    )
    busy = served = 0
    discovery.report(lambda: Counts(traffic=(Traffic(caller="", method="edge.get", calls=served),)))
    idle = asyncio.Event()
    idle.set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal busy, served
        busy += 1
        idle.clear()
        try:
            await answer(assignment, reader, writer)
        finally:
            served += 1
            busy -= 1
            if not busy:
                idle.set()

    server = None
    if assignment.listener is not None:
        listener = socket.socket(fileno=assignment.listener)
        listener.setblocking(False)
        server = await asyncio.start_server(serve, sock=listener)
    await discovery.ready()
    await ending.wait()
    await discovery.leave()
    await finish(server, idle, discovery)
    await tasks.stop()


def assigned() -> Assignment:
    """From the environment, or forked from here."""
    if CONNECTION not in os.environ:
        return msgspec.json.decode(os.environ[ASSIGNMENT], type=Assignment)
    connection, before = socket.socket(fileno=int(os.environ[CONNECTION])), descriptors()
    match behaviour("zygote"):
        case "thread":
            threading.Thread(target=threading.Event().wait, daemon=True).start()
        case "process":
            subprocess.Popen(("sleep", "60"))
        case "file":
            os.open("behaviour", os.O_RDONLY)
        case "crash":
            sys.exit(1)
    given = serve(connection, obstacle(before))
    end_with_parent()
    return given


if __name__ == "__main__":
    end_with_parent()
    given = assigned()
    if behaviour(given.group) == "crash":
        sys.exit(1)
    if behaviour(given.group) == "refuse":
        sys.exit(2)
    if behaviour(given.group).isdecimal():
        say("error: It is not to be.")
        sys.exit(int(behaviour(given.group)))
    asyncio.run(run(given))
