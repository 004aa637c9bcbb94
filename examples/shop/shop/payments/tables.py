"""The tables of payments."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Integer, MetaData, String, Table

metadata = MetaData()

customers = Table(
    "customers",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
)

payments = Table(
    "payments",
    metadata,
    Column("order_id", String, primary_key=True),
    Column("customer_id", String, nullable=False),
    Column("status", String, nullable=False),  # authorised, captured, refunded
    Column("amount_cents", Integer, nullable=False),
)

billing = Table(
    "billing",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("order_id", String, nullable=False),
    Column("customer_id", String, nullable=False, index=True),
    Column("kind", String, nullable=False),
    Column("amount_cents", Integer, nullable=False),
    Column("billed_to", String, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)
