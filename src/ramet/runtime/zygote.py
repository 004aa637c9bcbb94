"""A zygote: a process that has loaded the application once, and forks every replica of that release from what it has.

A replica that is forked starts in the time that its services need, and shares with all others the memory that nobody
writes to. Only a process with one thread can be forked, and what it has open its children would have open, too: where
loading the application has started a thread or a process, or has opened something, the zygote says so and ends, and
replicas are spawned.

The supervisor is the parent of every replica, as if it had spawned it: it adopts what the process forks that the zygote
forks, and ends when that has ended (a double fork). So a zygote may end at any time without harm. A replica begins when
its parent says "go", which knows of it by then; where the parent says nothing, it ends.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Collection
from pathlib import Path

import msgspec

from ramet.model.application import Value
from ramet.model.topology import Assignment

CONNECTION = "RAMET_ZYGOTE"
"""The environment variable that names the file descriptor of the connection with the supervisor."""
LONGEST_MESSAGE = 1024 * 1024
MOST_DESCRIPTORS = 3
"""What comes with an assignment: where "go" is said, where the output goes, and the listener if there is one."""
GO = b"go"
FAILED = -1
LONGEST_NAME = 15
"""Of a process, as `top` and `ps -o comm` show it."""
_OPEN = Path("/proc/self/fd")
_TASKS = Path("/proc/self/task")
_NAME = Path("/proc/self/comm")


class Loaded(Value):
    """The application is loaded, and either replicas can be forked from here, or there is an obstacle."""

    obstacle: str = ""


class Forked(Value):
    """A replica, which waits for "go"; `pid` is negative where none could be forked."""

    pid: int


decode_loaded = msgspec.json.Decoder(Loaded).decode
decode_forked = msgspec.json.Decoder(Forked).decode


def descriptors() -> frozenset[int]:
    """What this process has open."""
    return frozenset(number for entry in _OPEN.iterdir() if _is_open(number := int(entry.name)))


def obstacle(before: Collection[int]) -> str:
    """Why this process cannot be forked, which had these descriptors open before it loaded anything; "": it can."""
    if threading.active_count() > 1 or len(list(_TASKS.iterdir())) > 1:
        return "it has started threads"
    if (_TASKS / str(os.getpid()) / "children").read_text(encoding="ascii").strip():
        return "it has started a process"
    opened = sorted(str((_OPEN / str(number)).readlink()) for number in descriptors() - set(before))
    return f"it has opened {', '.join(opened)}" if opened else ""


def serve(connection: socket.socket, hindrance: str) -> Assignment:
    """Fork a replica for each assignment that comes, until the supervisor hangs up. Returns in each replica."""
    connection.send(msgspec.json.encode(Loaded(obstacle=hindrance)))
    while True:
        message, given, _, _ = socket.recv_fds(connection, LONGEST_MESSAGE, MOST_DESCRIPTORS)
        if not message or hindrance:
            raise SystemExit(0)
        pid = _fork()
        if not pid:
            connection.close()
            return _begin(msgspec.json.decode(message, type=Assignment), given)
        for number in given:
            os.close(number)
        connection.send(msgspec.json.encode(Forked(pid=pid)))


def _fork() -> int:
    """The process id of a grandchild whose parent has ended; 0 in that itself."""
    sys.stdout.flush()
    sys.stderr.flush()
    told, tell = os.pipe()
    try:
        between = os.fork()
    except OSError:
        os.close(told)
        os.close(tell)
        return FAILED
    if not between:
        os.close(told)
        _leave()
        os.setsid()  # so that a terminal's Ctrl-C reaches the supervisor alone
        os.write(tell, str(os.getpid()).encode())
        os.close(tell)
        return 0
    os.close(tell)
    with os.fdopen(told, "rb") as said:
        pid = int(said.read() or FAILED)
    os.waitpid(between, 0)  # only now has the grandchild another parent
    return pid


def _leave() -> None:
    """In between: fork once more, and end."""
    try:
        if os.fork():
            os._exit(0)
    except OSError:
        os._exit(1)


def _begin(assignment: Assignment, given: list[int]) -> Assignment:
    """Wait for "go", and be what a spawned replica is."""
    go, output, *listener = given
    if os.read(go, len(GO)) != GO:
        os._exit(1)
    os.close(go)
    for number in (sys.stdout.fileno(), sys.stderr.fileno()):
        os.dup2(output, number)
    os.close(output)
    _NAME.write_text(assignment.who[:LONGEST_NAME], encoding="ascii")
    return msgspec.structs.replace(assignment, listener=listener[0]) if listener else assignment


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False  # it was the list's
    return True
