"""A RabbitMQ server, as the system's package brings it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from ramet.errors import ConfigurationError
from ramet.testing.engines.base import Engine, free_port

PROGRAMS = ("/usr/lib/rabbitmq/bin/rabbitmq-server", "/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server")


def program() -> str | None:
    """The server's program; the wrapper on the PATH wants to be root and then another user, so it comes last."""
    return next((path for path in PROGRAMS if Path(path).exists()), None) or shutil.which("rabbitmq-server")


class RabbitEngine(Engine):
    """A node with a name, a port mapper and a cookie of its own. A first start takes some seconds."""

    start_seconds = 60.0

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__("rabbitmq", folder)
        self._program = program()
        self._distribution, self._mapper = free_port(), free_port()

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    def prepare(self) -> tuple[Sequence[str], Mapping[str, str]]:
        """Its configuration, and an environment in which nothing is shared with other nodes."""
        if self._program is None:
            raise ConfigurationError("There is no RabbitMQ here: apt-get install rabbitmq-server")
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\nlog.console = true\nlog.file = false\n"
            "vm_memory_high_watermark.absolute = 1GB\ndisk_free_limit.absolute = 50MB\n"
        )
        (self.folder / "enabled_plugins").write_text("[].\n")
        return [self._program], os.environ | self._own()

    def close(self) -> None:
        """Stop it and its port mapper, and remove a temporary folder."""
        self.stop()
        if mapper := shutil.which("epmd"):
            command = [mapper, "-port", str(self._mapper), "-kill"]
            subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - our own command
        super().close()

    def control(self, *arguments: str) -> str:
        """What `rabbitmqctl` says to an operator. Raises: ConfigurationError where it fails."""
        program = str(Path(self._program or "").with_name("rabbitmqctl"))
        command = [program, "-q", "-n", f"ramet{self.port}@localhost", *arguments]
        done = subprocess.run(  # noqa: S603 - our own command
            command, capture_output=True, text=True, check=False, env=os.environ | self._own()
        )
        if done.returncode:
            raise ConfigurationError(f"rabbitmqctl {' '.join(arguments)} failed: {done.stdout}{done.stderr}")
        return done.stdout

    def _own(self) -> dict[str, str]:
        folder = self.folder
        return {
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
