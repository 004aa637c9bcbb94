"""A process that replaces itself to run changed code: same process id and terminal, nothing left of the old code.

The listening socket stays open meanwhile, so that who connects waits for the new code instead of being refused.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

LISTENER = "RAMET_LISTENER"
"""Names the file descriptor of the listening socket that the code before has left."""
REPLACED = "RAMET_REPLACED"
"""Holds the process id, and the machine's uptime at the moment of the replacement."""
_UPTIME = Path("/proc/uptime")
_STAT = Path("/proc/self/stat")


def inherited() -> socket.socket | None:
    """The listening socket that the code before has left; given once."""
    descriptor = os.environ.pop(LISTENER, None)
    if descriptor is None:
        return None
    listener = socket.socket(fileno=int(descriptor))
    listener.set_inheritable(False)
    return listener


def is_replacement() -> bool:
    """Whether this process ran the code before a change, too."""
    return os.environ.get(REPLACED, "").partition("@")[0] == str(os.getpid())


def replace(listener: socket.socket | None) -> NoReturn:
    """Run the same command line in this process's place."""
    environment = {**os.environ, REPLACED: f"{os.getpid()}@{_uptime() or ''}"}
    if listener is not None and listener.fileno() >= 0:
        listener.set_inheritable(True)
        environment[LISTENER] = str(listener.fileno())
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606 - our own command line


def age_seconds() -> float | None:
    """How long ago this process began, or began anew; None where the operating system does not tell."""
    now = _uptime()
    if now is None:
        return None
    if is_replacement():
        began = os.environ[REPLACED].partition("@")[2]
        return now - float(began) if began else None
    ticks = _STAT.read_text(encoding="ascii").rpartition(") ")[2].split()[19]
    return now - int(ticks) / os.sysconf("SC_CLK_TCK")


def _uptime() -> float | None:
    try:
        return float(_UPTIME.read_text(encoding="ascii").split()[0])
    except OSError:
        return None
