"""A Redis server that syncs each command to the disk before it answers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence

from ramet.errors import ConfigurationError
from ramet.testing.engines.base import Engine


class RedisServer(Engine):
    """From the system's packages, with its data in `folder`."""

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def prepare(self) -> tuple[Sequence[str], Mapping[str, str]]:
        program = shutil.which("redis-server")
        if program is None:
            raise ConfigurationError("There is no redis-server here: apt-get install redis-server")
        where = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder)]
        return [program, *where, "--appendonly", "yes", "--appendfsync", "always", "--save", ""], os.environ
