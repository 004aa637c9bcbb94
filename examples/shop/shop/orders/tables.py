"""The tables of orders."""

from __future__ import annotations

from sqlalchemy import JSON, Column, DateTime, Integer, MetaData, String, Table

metadata = MetaData()

customers = Table(
    "customers",
    metadata,
    Column("id", String, primary_key=True),
    Column("address", JSON),
)

carts = Table(
    "carts",
    metadata,
    Column("customer_id", String, primary_key=True),
    Column("sku", String, primary_key=True),
    Column("quantity", Integer, nullable=False),
)

orders = Table(
    "orders",
    metadata,
    Column("id", String, primary_key=True),
    Column("customer_id", String, nullable=False, index=True),
    Column("status", String, nullable=False),
    Column("lines", JSON, nullable=False),
    Column("shipping_cents", Integer, nullable=False),
    Column("total_cents", Integer, nullable=False),
    Column("carrier", String, nullable=False),
    Column("ship_to", JSON, nullable=False),
    Column("placed_at", DateTime(timezone=True), nullable=False),
    Column("reason", String),
    Column("tracking", String),
)

history = Table(
    "history",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("order_id", String, nullable=False, index=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("what", String, nullable=False),
)
