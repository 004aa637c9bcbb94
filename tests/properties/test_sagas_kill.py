"""Killed at any moment (SIGKILL), again and again: every saga ends, and the books are right."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from pathlib import Path

VICTIM = Path(__file__).with_name("sagas_victim.py")
KILLS = 6


def run(folder: Path, count: int, seconds: float | None) -> None:
    """Let it work that long, then kill it; with None until it ends."""
    process = subprocess.Popen([sys.executable, str(VICTIM), str(folder), str(count)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == b"running\n"
        try:
            assert process.wait(seconds or 60) == 0
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            assert seconds is not None, "it did not finish"


def test_the_books_are_right_after_any_number_of_kills(tmp_path: Path) -> None:
    chance = random.Random(7)
    for _ in range(KILLS):
        run(tmp_path, 100_000, 0.02 + chance.random() / 3)
    run(tmp_path, 0, None)
    sagas = sqlite3.connect(tmp_path / "orders.sqlite")
    status = dict(sagas.execute("SELECT business_key, status FROM ramet_saga").fetchall())
    books = sqlite3.connect(tmp_path / "b")
    done: dict[str, list[str]] = {}
    for method, number in books.execute("SELECT method, number FROM effect WHERE refused = 0"):
        done.setdefault(str(number), []).append(method)
    sagas.close()
    books.close()
    assert len(status) > 20
    for number, ended in status.items():
        refused = int(number) % 5 == 0
        assert ended == ("compensated" if refused else "completed")
        wanted = ["charge", "refund", "release", "reserve"] if refused else ["charge", "reserve", "ship"]
        assert sorted(done[number]) == wanted
