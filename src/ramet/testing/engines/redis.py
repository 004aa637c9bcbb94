"""A Redis server, as the system's package brings it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from ramet.errors import ConfigurationError
from ramet.testing.engines.base import Engine

SETTINGS: Mapping[str, str] = {
    "bind": "127.0.0.1",
    "appendonly": "yes",
    "appendfsync": "always",
    "save": '""',
    "set-proc-title": "no",  # so that who looks for the server of a folder finds it
}


class RedisEngine(Engine):
    """A server that syncs its append-only file before it answers; `settings` are lines of its configuration besides."""

    def __init__(self, folder: Path | None = None, *, settings: Mapping[str, str] | None = None) -> None:
        super().__init__("redis", folder)
        self._settings = {"port": str(self.port), "dir": f'"{self.folder}"', **SETTINGS, **(settings or {})}

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"redis://127.0.0.1:{self.port}/0"

    def prepare(self) -> tuple[Sequence[str], Mapping[str, str]]:
        """Its configuration file."""
        program = shutil.which("redis-server")
        if program is None:
            raise ConfigurationError("There is no redis-server here: apt-get install redis-server")
        settings = self.folder / "redis.conf"
        settings.write_text("".join(f"{name} {value}\n" for name, value in self._settings.items()))
        return [program, str(settings)], os.environ
