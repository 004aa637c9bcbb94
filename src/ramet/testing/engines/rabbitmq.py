"""A RabbitMQ server, as the system's package brings it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from ramet.errors import ConfigurationError
from ramet.testing.engines.nats import await_port, free_port

PROGRAMS = ("/usr/lib/rabbitmq/bin/rabbitmq-server", "/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server")
STOP_SECONDS = 20.0


def program() -> str | None:
    """The server's program; the wrapper on the PATH wants to be root and then another user, so it comes last."""
    return next((path for path in PROGRAMS if Path(path).exists()), None) or shutil.which("rabbitmq-server")


class RabbitEngine:
    """A node on loopback with a name, a port mapper and a cookie of its own; `url` is its address.

    `folder` keeps the data (None: a temporary one); `kill` is kill -9; after either `start` begins again with
    the same data and ports. A first start takes some seconds.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._program = program()
        self._temporary = tempfile.TemporaryDirectory(prefix="ramet-rabbit-") if folder is None else None
        self.folder = Path(self._temporary.name) if self._temporary is not None else folder or Path()
        self._process: subprocess.Popen[bytes] | None = None
        self.port, self._distribution, self._mapper = free_port(), free_port(), free_port()

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

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
        if self._program is None:
            raise ConfigurationError("There is no RabbitMQ here: apt-get install rabbitmq-server")
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\nlog.console = true\nlog.file = false\n"
            "vm_memory_high_watermark.absolute = 1GB\ndisk_free_limit.absolute = 50MB\n"
        )
        (self.folder / "enabled_plugins").write_text("[].\n")
        log = self.folder / "rabbitmq.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [self._program],
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                env=self._environment(),
                start_new_session=True,
            )
        await_port(self.port, self._process, log, seconds=60.0)

    def stop(self) -> None:
        """Let it end by itself."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9, of everything that was started."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start, with the same data and ports."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop, and remove a temporary folder."""
        self.stop()
        if mapper := shutil.which("epmd"):
            command = [mapper, "-port", str(self._mapper), "-kill"]
            subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - our own command
        if self._temporary is not None:
            self._temporary.cleanup()

    @property
    def pid(self) -> int | None:
        """The process that was started; the server is a child of it, in the same session."""
        return self._process.pid if self._process is not None else None

    def _environment(self) -> Mapping[str, str]:
        folder = self.folder
        return os.environ | {
            "HOME": str(folder),
            "RABBITMQ_NODENAME": f"ramet{self.port}@localhost",
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "ERL_EPMD_PORT": str(self._mapper),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }

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
