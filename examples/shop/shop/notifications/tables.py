"""The tables of notifications."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Integer, MetaData, String, Table

metadata = MetaData()

customers = Table(
    "customers",
    metadata,
    Column("id", String, primary_key=True),
    Column("email", String, nullable=False),
    Column("phone", String, nullable=False),
    Column("channels", JSON, nullable=False),
)

messages = Table(
    "messages",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("customer_id", String, nullable=False, index=True),
    Column("channel", String, nullable=False),
    Column("recipient", String, nullable=False),
    Column("text", String, nullable=False),
)
