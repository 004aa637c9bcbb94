"""The demonstration runs, and its audit sees what is wrong."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from audit import audit

SHOP = Path(__file__).parents[2] / "examples" / "shop"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The databases of a shop that was open for some seconds."""
    data = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "demo", "--plain", "--seconds", "8", "--customers", "12", "--pause", "0.1"]
    finished = subprocess.run(
        [*command, "--listen", "127.0.0.1:0", "--data", str(data)],
        cwd=SHOP, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "The books are right." in finished.stdout
    return data


def test_orders_go_through_and_the_books_are_right(data: Path) -> None:
    books = audit(data, data / "cards.db")

    assert books.confirmed > 0
    assert books.placed == books.confirmed + books.cancelled
    assert (books.in_flight, books.parked, books.waiting_events, books.dead_letters) == (0, 0, 0, 0)
    assert books.received == books.available + books.reserved + books.sold
    assert books.owed_cents == books.captured_cents
    assert books.violations == ()


MISTAKES = {
    "is lost": ("orders", "DELETE FROM ramet_saga"),
    "ended otherwise": ("orders", "UPDATE orders SET status = 'placed'"),
    "do not explain": ("inventory", "UPDATE stock SET available = available - 1, sold = sold + 1"),
    "not paid exactly once": ("payments", "UPDATE payments SET status = 'authorised'"),
    "has not charged": ("cards", "DELETE FROM charges"),
    "not shipped": ("shipping", "DELETE FROM shipments"),
    "money was kept": ("cards", "UPDATE charges SET status = 'captured'"),
    "goods were kept": ("inventory", "UPDATE reservations SET status = 'sold'"),
    "charged twice": (
        "payments",
        "INSERT INTO billing SELECT NULL, order_id, customer_id, kind, 1, '', at FROM billing",
    ),
    "heard twice": ("orders", "INSERT INTO history SELECT NULL, order_id, at, what FROM history"),
}


@pytest.mark.parametrize("sentence", MISTAKES)
def test_the_audit_finds(sentence: str, data: Path, tmp_path: Path) -> None:
    for file in (*data.glob("*.sqlite"), data / "cards.db"):
        with closing(sqlite3.connect(file)) as original, closing(sqlite3.connect(tmp_path / file.name)) as copy:
            original.backup(copy)
    name, mistake = MISTAKES[sentence]
    file = tmp_path / ("cards.db" if name == "cards" else f"{name}.sqlite")
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(mistake)

    violations = audit(tmp_path, tmp_path / "cards.db").violations

    assert any(sentence in violation for violation in violations)
