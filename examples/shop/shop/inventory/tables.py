"""The tables of the inventory."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, DateTime, Integer, MetaData, String, Table

metadata = MetaData()

stock = Table(
    "stock",
    metadata,
    Column("sku", String, primary_key=True),
    Column("available", Integer, nullable=False),
    Column("reserved", Integer, nullable=False),
    Column("sold", Integer, nullable=False),
    Column("received", Integer, nullable=False),
    CheckConstraint("available >= 0 AND reserved >= 0 AND sold >= 0", name="no_debts"),
    CheckConstraint("available + reserved + sold = received", name="nothing_is_lost"),
)

reservations = Table(
    "reservations",
    metadata,
    Column("order_id", String, primary_key=True),
    Column("sku", String, primary_key=True),
    Column("quantity", Integer, nullable=False),
    Column("status", String, nullable=False, index=True),  # reserved, sold, released
    Column("expires_at", DateTime(timezone=True), nullable=False),
)
