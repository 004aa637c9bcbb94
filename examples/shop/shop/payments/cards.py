"""A simulated card network, with what makes real ones hard: it declines, takes its time, and loses replies.

It is no part of the shop, so it keeps a ledger of its own. Every request names the order, and repeating one changes
nothing: that is what makes it safe to ask again after a reply was lost.
"""

from __future__ import annotations

import random
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Literal, NamedTuple

from ramet import Clock, Settings

DECLINED = {"tok_empty": "insufficient funds", "tok_stolen": "reported as stolen"}


class CardSettings(Settings):
    """How the network behaves; rates are shares of the requests, `ledger` is a SQLite file."""

    ledger: str = ":memory:"
    limit_cents: int = 500_000
    decline_rate: float = 0.0
    lost_reply_rate: float = 0.0
    delay: timedelta = timedelta(0)
    seed: int = 0


class ReplyLost(Exception):
    """The network may have done what it was asked for; only asking again tells."""


class Charge(NamedTuple):
    cents: int
    status: Literal["authorised", "captured", "refunded", "declined"]
    reason: str


class CardNetwork:
    def __init__(self, settings: CardSettings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._chance = random.Random(settings.seed)
        if settings.ledger != ":memory:":
            Path(settings.ledger).parent.mkdir(parents=True, exist_ok=True)
        self._ledger = sqlite3.connect(settings.ledger, isolation_level=None)
        self._ledger.executescript("""
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = NORMAL;
            CREATE TABLE IF NOT EXISTS charges (order_id TEXT PRIMARY KEY, cents INTEGER, status TEXT, reason TEXT)
        """)

    def close(self) -> None:
        self._ledger.close()

    async def authorise(self, order_id: str, card: str, cents: int) -> Charge:
        reason = self._objection(card, cents)
        self._write(
            "INSERT INTO charges VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            *(order_id, cents, "declined" if reason else "authorised", reason),
        )
        return await self._reply(order_id)

    async def capture(self, order_id: str) -> Charge:
        self._write("UPDATE charges SET status = 'captured' WHERE order_id = ? AND status = 'authorised'", order_id)
        return await self._reply(order_id)

    async def refund(self, order_id: str) -> Charge:
        """Also refuses a charge that is asked for later."""
        self._write(
            "INSERT INTO charges VALUES (?, 0, 'refunded', 'withdrawn') ON CONFLICT DO "
            "UPDATE SET status = 'refunded', reason = 'withdrawn' WHERE status IN ('authorised', 'captured')",
            order_id,
        )
        return await self._reply(order_id)

    async def find(self, order_id: str) -> Charge | None:
        """What has become of the requests for an order."""
        found = self._ledger.execute("SELECT cents, status, reason FROM charges WHERE order_id = ?", (order_id,))
        row = found.fetchone()
        return None if row is None else Charge(*row)

    def _write(self, sql: str, *values: object) -> None:
        self._ledger.execute(sql, values)

    def _objection(self, card: str, cents: int) -> str:
        if cents > self._settings.limit_cents:
            return "over the limit"
        by_chance = self._chance.random() < self._settings.decline_rate
        return DECLINED.get(card, "declined by the bank" if by_chance else "")

    async def _reply(self, order_id: str) -> Charge:
        await self._clock.sleep(self._settings.delay.total_seconds() * self._chance.random())
        charge = await self.find(order_id)
        if charge is None or self._chance.random() < self._settings.lost_reply_rate:
            raise ReplyLost(order_id)
        return charge
