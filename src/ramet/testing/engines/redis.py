"""A Redis server, as the system's package brings it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from ramet.errors import ConfigurationError
from ramet.testing.engines.base import Engine


def program() -> str | None:
    """The server's program on the PATH."""
    return shutil.which("redis-server")


class RedisEngine(Engine):
    """A server that syncs its append-only file before it answers, unless `synced` says otherwise."""

    def __init__(self, folder: Path | None = None, *, executable: str | None = None, synced: bool = True) -> None:
        super().__init__("redis", folder)
        self._executable = executable or program()
        self._synced = synced

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"redis://127.0.0.1:{self.port}/0"

    def prepare(self) -> tuple[Sequence[str], Mapping[str, str]]:
        """Its configuration file."""
        if self._executable is None:
            raise ConfigurationError("There is no redis-server here: apt-get install redis-server")
        settings = self.folder / "redis.conf"
        settings.write_text(
            f'bind 127.0.0.1\nport {self.port}\ndir "{self.folder}"\nset-proc-title no\nsave ""\n'
            f"appendonly yes\nappendfsync {'always' if self._synced else 'everysec'}\n"
        )
        return [self._executable, str(settings)], os.environ
