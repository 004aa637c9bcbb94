"""The tables that every service's database has, and what is removed from them in time."""

from __future__ import annotations

from ramet.storage.base import Storage, Write

RETENTION_SECONDS = 7 * 86_400.0
"""Answers, handled events and sent events are kept for a week."""

SCHEMA: tuple[str, ...] = (
    """CREATE TABLE IF NOT EXISTS ramet_inbox (
        consumer TEXT NOT NULL, key TEXT NOT NULL, answer BLOB, at DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (consumer, key))""",
    "CREATE INDEX IF NOT EXISTS ramet_inbox_at ON ramet_inbox (at)",
    """CREATE TABLE IF NOT EXISTS ramet_outbox (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL, topic TEXT NOT NULL, key TEXT,
        version INTEGER NOT NULL, payload BLOB NOT NULL, headers TEXT NOT NULL, at DOUBLE PRECISION NOT NULL,
        sent_at DOUBLE PRECISION)""",
    "CREATE INDEX IF NOT EXISTS ramet_outbox_unsent ON ramet_outbox (seq) WHERE sent_at IS NULL",
    """CREATE TABLE IF NOT EXISTS ramet_lease (
        name TEXT NOT NULL PRIMARY KEY, owner TEXT NOT NULL, beat BIGINT NOT NULL, about TEXT NOT NULL)""",
)

_OLD_ANSWERS = "SELECT consumer, key FROM ramet_inbox WHERE at < ? ORDER BY at LIMIT ?"
_REMOVE = "DELETE FROM ramet_inbox WHERE consumer = ? AND key = ?"


async def purge_answers(storage: Storage, before: float, *, at_once: int = 500) -> int:
    """Remove the answers that are older than `before` (seconds since the epoch); returns how many.

    In small transactions, so that nobody waits long.
    """
    removed = 0
    while rows := await storage.fetch(_OLD_ANSWERS, before, at_once):
        await storage.write(Write(_REMOVE, rows))
        removed += len(rows)
    return removed
