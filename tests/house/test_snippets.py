"""What the pages show is what happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house.snippets import Reader, blocks, matches, runs
from tests.house.tree import ROOT, pages

RUNNING = [page for page in pages() if runs(page)]


@pytest.mark.parametrize("page", RUNNING, ids=[str(page.relative_to(ROOT)) for page in RUNNING])
async def test_the_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with Reader(tmp_path, page) as reader:
        for block in blocks(page):
            await reader.follow(block)


@pytest.mark.parametrize(
    ("expected", "line", "same"),
    [
        ("ready", "ready\n", True),
        ("ready in ... s", "ready in 0.31 s\n", True),
        ("ready", "not ready\n", False),
        ("... orders", "12 orders\n", True),
    ],
)
def test_an_ellipsis_stands_for_anything(expected: str, line: str, same: bool) -> None:
    assert matches(expected, line) is same


async def test_a_page_may_write_a_file_import_it_run_a_command_and_leave_a_server_behind(tmp_path: Path) -> None:
    page = ROOT / "tests" / "house" / "example.md"
    async with Reader(tmp_path, page) as reader:
        for block in blocks(page):
            await reader.follow(block)
