"""The tables of shipping."""

from __future__ import annotations

from sqlalchemy import JSON, Column, DateTime, MetaData, String, Table

metadata = MetaData()

shipments = Table(
    "shipments",
    metadata,
    Column("order_id", String, primary_key=True),
    Column("tracking", String, nullable=False, unique=True),
    Column("carrier", String, nullable=False),
    Column("status", String, nullable=False),
    Column("ship_to", JSON, nullable=False),
    Column("moves_at", DateTime(timezone=True), index=True),
)
