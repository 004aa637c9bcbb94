"""Where a supervisor keeps its sockets, logs and keys: below the data folder, unless that is too deep for sockets."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

from ramet.runtime.operators.protocol import LONGEST_PATH
from ramet.runtime.private import make_private, temporary

LONGEST_NAME = len("/replica-.sock") + 60
"""How long the name of a socket can be: a group's name, a number, a serial number."""


class Folders:
    """The folders of one deployment; those of the sockets and keys are its owner's alone."""

    def __init__(self, data: Path) -> None:
        self.data = data.resolve()
        self.logs = self.data / "logs"
        self.keys = self.data / "keys"
        self._sockets = self._short(self.data / "run")

    @property
    def supervisor(self) -> Path:
        """The socket of the hub."""
        return self._sockets / "supervisor.sock"

    def make(self) -> None:
        """Raises: OSError; ConfigurationError when the place for sockets is somebody else's."""
        self.clear()
        for folder in (self._sockets, self.keys):
            make_private(folder)
            folder.chmod(0o700)
        self.logs.mkdir(parents=True, exist_ok=True)

    def clear(self) -> None:
        """Remove every socket, also of those that could not do so themselves, and where earlier releases had theirs."""
        for place in (self._sockets, self.data / "replicas"):
            for left in place.rglob("*.sock"):
                left.unlink(missing_ok=True)
            for folder in (*place.glob("*/"), place):
                with contextlib.suppress(OSError):  # it is not there, or is somebody else's, too
                    folder.rmdir()

    def internal(self, group: str, number: int, serial: int) -> str:
        """The address of a replica's own socket."""
        return f"unix:{self._sockets / f'{group}-{number}-{serial}.sock'}"

    def control(self, group: str, number: int) -> Path:
        """The folder of the socket on which a replica answers operators."""
        return self._sockets / f"{group}-{number}"

    def log(self, group: str) -> Path:
        """What the replicas of a group say."""
        return self.logs / f"{group}.log"

    def _short(self, folder: Path) -> Path:
        if len(os.fsencode(folder)) + LONGEST_NAME <= LONGEST_PATH:
            return folder
        name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
        return temporary() / name
