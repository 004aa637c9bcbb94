"""Whoever watches the sources learns of every change since they were first looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from ramet.runtime.watching import Sources
from ramet.tasks import Tasks


async def changed(sources: Sources) -> list[Path]:
    """Wait for the change."""
    tasks = Tasks()
    try:
        return await sources.changed(tasks.spawn)
    finally:
        await tasks.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An application's folder."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "orders.py").write_text("", encoding="utf-8")
    return tmp_path.resolve()


async def test_a_change_before_the_watch_began_is_not_missed(folder: Path) -> None:
    sources = Sources(folder)
    (folder / "shop" / "orders.py").write_text("x = 1", encoding="utf-8")
    assert await changed(sources) == [folder / "shop" / "orders.py"]


async def test_new_and_removed_files_are_changes(folder: Path) -> None:
    sources = Sources(folder)
    (folder / "ramet.toml").write_text("", encoding="utf-8")
    (folder / "shop" / "orders.py").unlink()
    assert await changed(sources) == [folder / "ramet.toml", folder / "shop" / "orders.py"]


async def test_a_change_while_it_watches_is_seen(folder: Path) -> None:
    sources, tasks = Sources(folder), Tasks()
    waiting = tasks.spawn(sources.changed(tasks.spawn))
    while sources.watching is None:
        await tasks.spawn(_turn())
    (folder / "shop" / "orders.py").write_text("x = 2", encoding="utf-8")
    assert await waiting == [folder / "shop" / "orders.py"]
    await tasks.stop()


async def _turn() -> None:
    """Let others go on."""


@pytest.mark.parametrize(
    "name", ["tests/test_a.py", ".venv/lib/a.py", "__pycache__/a.py", "notes.md", "shop/data.sqlite"]
)
async def test_what_is_no_source_is_no_change(folder: Path, name: str) -> None:
    sources = Sources(folder)
    (folder / name).parent.mkdir(exist_ok=True, parents=True)
    (folder / name).write_text("", encoding="utf-8")
    (folder / "shop" / "last.py").write_text("", encoding="utf-8")
    assert await changed(sources) == [folder / "shop" / "last.py"]
