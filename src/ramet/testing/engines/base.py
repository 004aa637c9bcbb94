"""A server on loopback, from entering a block to leaving it: started, killed and started again with the same data."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from ramet.clock import SystemClock
from ramet.errors import ConfigurationError

STOP_SECONDS = 20.0


class Engine(ABC):
    """One server, in a session of its own, so that a terminal's Ctrl-C is not for it.

    `folder` keeps the data (None: a temporary one). After `stop` or `kill`, `start` begins again with the same data and
    port.
    """

    start_seconds: float = 20.0

    def __init__(self, name: str, folder: Path | None) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix=f"ramet-{name}-") if folder is None else None
        self.folder = Path(self._temporary.name) if self._temporary is not None else folder or Path()
        self._log = self.folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    @abstractmethod
    def url(self) -> str:
        """The address for clients."""

    @abstractmethod
    def prepare(self) -> tuple[Sequence[str], Mapping[str, str]]:
        """Write what the server reads at its start; the command and its environment.

        Raises: ConfigurationError where the program is missing.
        """

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start, and wait until it answers. Raises: ConfigurationError where the program is missing or fails."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command, environment = self.prepare()
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                start_new_session=True,
            )
        self._await(self._process)

    def stop(self) -> None:
        """Let it end by itself."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9, of everything that was started."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start, with the same data and port."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop, and remove a temporary folder."""
        self.stop()
        if self._temporary is not None:
            self._temporary.cleanup()

    @property
    def pid(self) -> int | None:
        """The process that was started, while there is one."""
        return self._process.pid if self._process is not None else None

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        os.killpg(process.pid, number)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _await(self, process: subprocess.Popen[bytes]) -> None:
        clock = SystemClock()
        deadline = clock.monotonic() + self.start_seconds
        while clock.monotonic() < deadline and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=0.2).close()
                return
            except OSError:
                try:
                    process.wait(0.02)
                except subprocess.TimeoutExpired:
                    pass
        self.kill()
        tail = self._log.read_text(errors="replace")[-500:] if self._log.exists() else ""
        raise ConfigurationError(f"The server did not start on port {self.port}: {tail}")


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
