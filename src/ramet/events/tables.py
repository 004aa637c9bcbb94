"""Pure: the tables of events in each service's database."""

from __future__ import annotations

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS ramet_dead_letter (
        consumer TEXT NOT NULL, event_id TEXT NOT NULL, topic TEXT NOT NULL, key TEXT, version INTEGER NOT NULL,
        attempts INTEGER NOT NULL, error TEXT NOT NULL, payload BLOB NOT NULL, headers TEXT NOT NULL,
        published_at DOUBLE PRECISION NOT NULL, at DOUBLE PRECISION NOT NULL,
        renewals INTEGER NOT NULL DEFAULT 0, replay_at DOUBLE PRECISION,
        PRIMARY KEY (consumer, event_id))""",
    """CREATE INDEX IF NOT EXISTS ramet_dead_letter_replay ON ramet_dead_letter (consumer, replay_at)
        WHERE replay_at IS NOT NULL""",
    """CREATE TABLE IF NOT EXISTS ramet_retry (
        consumer TEXT NOT NULL, event_id TEXT NOT NULL, topic TEXT NOT NULL, key TEXT,
        attempts INTEGER NOT NULL, counted INTEGER NOT NULL, error TEXT NOT NULL, since DOUBLE PRECISION NOT NULL,
        next_at DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (consumer, event_id))""",
    """CREATE TABLE IF NOT EXISTS ramet_subscription (
        consumer TEXT NOT NULL, topic TEXT NOT NULL, since DOUBLE PRECISION NOT NULL, position BIGINT,
        PRIMARY KEY (consumer, topic))""",
)
"""`replay_at` is set while an operator's replay is outstanding; `position` while the retained past is being read."""
