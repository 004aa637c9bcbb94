"""The pytest plugin in a project of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ASYNC_TEST = """
import asyncio

async def test_it_runs_on_a_loop(placement):
    asyncio.get_running_loop()
    print("ran", placement)
"""


def pytest_in(folder: Path, configuration: str) -> subprocess.CompletedProcess[str]:
    """Run pytest there, with no plugin but Ramet's."""
    (folder / "test_it.py").write_text(ASYNC_TEST, encoding="utf-8")
    (folder / "pytest.ini").write_text(f"[pytest]\n{configuration}\n", encoding="utf-8")
    plugins = ["-p", "no:asyncio", "-p", "no:anyio", "-p", "no:xdist"]
    command = [sys.executable, "-m", "pytest", "-s", "-q", *plugins]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_async_tests_run_where_the_project_asks_for_it_in_every_placement(tmp_path: Path) -> None:
    done = pytest_in(tmp_path, "ramet_async_tests = true")
    assert done.returncode == 0, done.stdout
    for placement in ("together", "strict", "apart"):
        assert f"ran {placement}" in done.stdout


def test_other_projects_are_left_alone(tmp_path: Path) -> None:
    assert pytest_in(tmp_path, "").returncode == 1
