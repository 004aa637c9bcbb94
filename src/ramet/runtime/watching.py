"""Watching the files that an application is made of."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from watchfiles import Change, DefaultFilter, awatch, watch

SETTLE_MILLISECONDS = 50


class SourceFilter(DefaultFilter):
    """Python files and ramet.toml, outside of tests, data folders and virtual environments."""

    ignore_dirs = (*DefaultFilter.ignore_dirs, ".ramet", "tests")

    def __call__(self, change: Change, path: str) -> bool:
        """Whether a change matters."""
        return path.endswith((".py", "ramet.toml")) and super().__call__(change, path)


async def next_change(folder: Path) -> list[Path]:
    """Wait for the next change below the folder; the files that changed."""
    async for changes in awatch(folder, watch_filter=SourceFilter(), step=SETTLE_MILLISECONDS):
        return _paths(changes)
    return []


def wait_for_change(folder: Path) -> list[Path]:
    """The same where no event loop runs. Raises: KeyboardInterrupt."""
    for changes in watch(folder, watch_filter=SourceFilter(), step=SETTLE_MILLISECONDS):
        return _paths(changes)
    return []


def _paths(changes: Iterable[tuple[Change, str]]) -> list[Path]:
    return sorted({Path(path) for _, path in changes})
