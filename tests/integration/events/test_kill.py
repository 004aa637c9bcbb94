"""kill -9 at any moment: what was sold is billed, once, in order."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from pathlib import Path

ROUNDS = 6


def worker(folder: Path, what: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.integration.events.worker", str(folder), what],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def rows(database: Path, table: str) -> list[tuple[str, str]]:
    connection = sqlite3.connect(database)
    try:
        return connection.execute(f"SELECT event_id, key FROM {table} ORDER BY n").fetchall()
    finally:
        connection.close()


def test_every_sale_is_billed_once_and_in_order_however_the_process_dies(tmp_path: Path) -> None:
    chance = random.Random(7)
    announced: list[str] = []
    for _ in range(ROUNDS):
        with worker(tmp_path, "sell") as selling:
            assert selling.stdout is not None
            announced += [selling.stdout.readline().strip() for _ in range(chance.randrange(1, 600))]
            selling.kill()
    with worker(tmp_path, "drain") as draining:
        assert draining.wait(timeout=60) == 0
    sales, bills = rows(tmp_path / "shop.sqlite", "sale"), rows(tmp_path / "office.sqlite", "bill")
    assert set(announced) <= {event_id for event_id, _ in sales}, "what was said to be committed is there"
    assert sorted(bills) == sorted(sales), "billed once"
    for key in {key for _, key in sales}:
        assert [bill for bill in bills if bill[1] == key] == [sale for sale in sales if sale[1] == key], "in order"
