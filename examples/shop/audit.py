"""The books: whether what the services remember fits together, read from their databases at any moment.

Every service commits for itself, so an order that is under way looks different to each of them. What has ended must
agree, though, and what a single service counts must add up at all times.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

SERVICES = ("orders", "inventory", "payments", "shipping", "notifications", "catalog", "users")

RULES = {
    "available + reserved + sold of {} is not what was received": """
        SELECT sku FROM inventory.stock
        WHERE available + reserved + sold <> received OR min(available, reserved, sold) < 0""",
    "the reservations do not explain the stock of {}": """
        SELECT sku FROM inventory.stock AS stock
        WHERE reserved <> (SELECT total(quantity) FROM inventory.reservations AS it
                           WHERE it.sku = stock.sku AND status = 'reserved')
           OR sold <> (SELECT total(quantity) FROM inventory.reservations AS it
                       WHERE it.sku = stock.sku AND status = 'sold')""",
    "the order {} is lost: nobody works on it": """
        SELECT id FROM orders.orders WHERE id NOT IN (SELECT business_key FROM orders.ramet_saga)""",
    "the order {} has ended otherwise than its checkout": """
        SELECT id FROM orders.orders JOIN ended ON ended.order_id = id WHERE orders.status <> ended.status""",
    "the order {} is confirmed, and not paid exactly once": """
        SELECT order_id FROM ended JOIN orders.orders ON id = order_id WHERE ended.status = 'confirmed' AND (
            NOT EXISTS (SELECT 1 FROM payments.payments AS it WHERE it.order_id = ended.order_id
                        AND it.status = 'captured' AND amount_cents = total_cents)
            OR (SELECT count(*) FROM payments.billing AS it
                WHERE it.order_id = ended.order_id AND kind = 'captured') <> 1)""",
    "the order {} is confirmed, and the card network has not charged its price": """
        SELECT order_id FROM ended JOIN orders.orders ON id = order_id WHERE ended.status = 'confirmed'
            AND NOT EXISTS (SELECT 1 FROM cards.charges AS it WHERE it.order_id = ended.order_id
                            AND it.status = 'captured' AND cents = total_cents)""",
    "the order {} is confirmed, and not sold or not shipped": """
        SELECT order_id FROM ended WHERE status = 'confirmed' AND (
            order_id NOT IN (SELECT order_id FROM inventory.reservations WHERE status = 'sold')
            OR order_id NOT IN (SELECT order_id FROM shipping.shipments))""",
    "the order {} is cancelled, and the money was kept": """
        SELECT order_id FROM ended WHERE status = 'cancelled' AND (
            order_id IN (SELECT order_id FROM payments.payments WHERE status <> 'refunded')
            OR order_id IN (SELECT order_id FROM cards.charges WHERE status IN ('authorised', 'captured')))""",
    "the order {} is cancelled, and the goods were kept or shipped": """
        SELECT order_id FROM ended WHERE status = 'cancelled' AND (
            order_id IN (SELECT order_id FROM inventory.reservations WHERE status <> 'released')
            OR order_id IN (SELECT order_id FROM shipping.shipments))""",
    "the order {} was charged twice": """
        SELECT order_id FROM payments.billing GROUP BY order_id, kind HAVING count(*) > 1""",
    "the order {} heard twice of the same event": """
        SELECT order_id FROM orders.history GROUP BY order_id, what HAVING count(*) > 1""",
}

OWED = """
    SELECT total(total_cents) FROM ended JOIN orders.orders ON id = order_id WHERE ended.status = 'confirmed'"""
CAPTURED = """
    SELECT total(cents) FROM ended JOIN cards.charges USING (order_id)
    WHERE ended.status = 'confirmed' AND charges.status = 'captured'"""
ENDED = """
    CREATE TEMP TABLE ended AS
    SELECT business_key AS order_id, iif(status = 'completed', 'confirmed', 'cancelled') AS status
    FROM orders.ramet_saga WHERE ended_at IS NOT NULL"""


@dataclass(frozen=True, kw_only=True)
class Books:
    """What the audit has found; amounts in cents."""

    placed: int
    confirmed: int
    cancelled: int
    in_flight: int
    parked: int
    received: int
    available: int
    reserved: int
    sold: int
    owed_cents: int
    captured_cents: int
    waiting_events: int
    dead_letters: int
    violations: tuple[str, ...]

    def __str__(self) -> str:
        orders = f"{self.confirmed} confirmed + {self.cancelled} cancelled + {self.in_flight} under way"
        stock = f"{self.available} available + {self.reserved} reserved + {self.sold} sold"
        owed, captured = f"{self.owed_cents / 100:.2f} EUR", f"{self.captured_cents / 100:.2f} EUR"
        lines = [
            f"orders  {self.placed} placed = {orders} ({self.parked} parked)",
            f"stock   {self.received} received = {stock}",
            f"money   {owed} for confirmed orders, {captured} captured",
            f"events  {self.waiting_events} still to be handled, {self.dead_letters} dead letters",
        ]
        lines += [f"WRONG   {violation}" for violation in self.violations] or ["The books are right."]
        return "\n".join(lines)


def audit(data: Path, ledger: Path) -> Books:
    """Read the databases in the folder `data` and the ledger of the card network, the orders first."""
    files = {service: data / f"{service}.sqlite" for service in SERVICES} | {"cards": ledger}
    with closing(sqlite3.connect("file::memory:", uri=True, isolation_level=None)) as books:
        for name, file in files.items():
            books.execute(f"ATTACH ? AS {name}", (f"file:{file}?mode=rw",))
        books.execute("BEGIN")
        books.execute(ENDED)
        return _books(books)


def _books(books: sqlite3.Connection) -> Books:
    orders = dict(books.execute("SELECT status, count(*) FROM orders.orders GROUP BY status").fetchall())
    stock = books.execute(
        "SELECT sum(received), sum(available), sum(reserved), sum(sold) FROM inventory.stock"
    ).fetchone()
    received, available, reserved, sold = (amount or 0 for amount in stock)
    confirmed, cancelled = orders.get("confirmed", 0), orders.get("cancelled", 0)
    return Books(
        placed=sum(orders.values()),
        confirmed=confirmed,
        cancelled=cancelled,
        in_flight=sum(orders.values()) - confirmed - cancelled,
        parked=_one(books, "SELECT count(*) FROM orders.ramet_saga WHERE status = 'parked'"),
        received=received,
        available=available,
        reserved=reserved,
        sold=sold,
        owed_cents=_one(books, OWED),
        captured_cents=_one(books, CAPTURED),
        waiting_events=_waiting_events(books),
        dead_letters=sum(_one(books, f"SELECT count(*) FROM {each}.ramet_dead_letter") for each in SERVICES),
        violations=tuple(
            sentence.format(row[0]) for sentence, query in RULES.items() for row in books.execute(query).fetchall()
        ),
    )


def _waiting_events(books: sqlite3.Connection) -> int:
    """Events that a subscriber has not handled yet."""
    count = 0
    for subscriber in SERVICES:
        for consumer, topic in books.execute(f"SELECT consumer, topic FROM {subscriber}.ramet_subscription").fetchall():
            owner = topic.partition(".")[0]
            count += _one(
                books,
                f"SELECT count(*) FROM {owner}.ramet_outbox WHERE topic = ? AND event_id NOT IN "
                f"(SELECT key FROM {subscriber}.ramet_inbox WHERE consumer = ?)",
                *(topic, f"event:{consumer}"),
            )
    return count


def _one(books: sqlite3.Connection, query: str, *values: str) -> int:
    return int(books.execute(query, values).fetchone()[0])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python audit.py FOLDER_OF_THE_DATABASES LEDGER, such as .ramet/local .ramet/cards.sqlite")
    found = audit(Path(sys.argv[1]), Path(sys.argv[2]))
    print(found)
    sys.exit(bool(found.violations))
