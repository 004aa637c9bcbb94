"""Watching the files that an application is made of: its Python files and ramet.toml."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from ramet.tasks import Spawn

SKIPPED = frozenset({"tests", "__pycache__", "node_modules", "site-packages"})
"""Folders whose files are not the application's; so are those whose name begins with a dot."""
SETTLE_MILLISECONDS = 50


class Sources:
    """The files below a folder as they are now; made before they are read, so that no change is missed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._seen = _stamps(self._folder)
        self.watching: asyncio.Task[None] | None = None

    async def changed(self, spawn: Spawn) -> list[Path]:
        """Wait until a file is not what it was; those that are not."""
        while True:
            self.watching = spawn(self._watch())
            await asyncio.sleep(0)  # from here on the operating system tells what changes
            if found := self._different():
                self.watching.cancel()
                return found
            await asyncio.shield(self.watching)

    async def _watch(self) -> None:
        from watchfiles import awatch

        async for _ in awatch(self._folder, watch_filter=lambda _, path: self._matters(path), step=SETTLE_MILLISECONDS):
            return

    def _matters(self, path: str) -> bool:
        folders = Path(path).relative_to(self._folder).parts[:-1]
        return _is_source(path) and not any(map(_is_skipped, folders))

    def _different(self) -> list[Path]:
        now = _stamps(self._folder)
        return sorted(path for path in now.keys() | self._seen.keys() if now.get(path) != self._seen.get(path))


def _stamps(folder: Path) -> Mapping[Path, tuple[int, int]]:
    """When each file was last written, and its size."""
    return dict(_walk(folder))


def _walk(folder: Path) -> Iterator[tuple[Path, tuple[int, int]]]:
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not _is_skipped(name)]
        for name in filter(_is_source, files):
            path = Path(root, name)
            try:
                found = path.stat()
            except OSError:  # gone between the listing and the look
                continue
            yield path, (found.st_mtime_ns, found.st_size)


def _is_source(path: str) -> bool:
    return path.endswith((".py", "ramet.toml"))


def _is_skipped(name: str) -> bool:
    return name in SKIPPED or name.startswith(".")
