"""What the four participants of a full saga keep, each in a database of its own."""

from __future__ import annotations

from sqlalchemy import Column, Integer, MetaData, String, Table, delete, insert, update
from sqlalchemy.sql import Executable

NAMES = ("stock", "money", "parcels", "letters")

metadata = MetaData()
entries = Table(
    "entries", metadata, Column("order_id", String, primary_key=True), Column("amount", Integer, nullable=False)
)
totals = Table("totals", metadata, Column("name", String, primary_key=True), Column("amount", Integer, nullable=False))


def beginning() -> Executable:
    """The one row of the totals."""
    return insert(totals).values(name="all", amount=0)


def enter(order: str, amount: int) -> tuple[Executable, Executable]:
    """An insert and an update: what a step does to its participant."""
    return insert(entries).values(order_id=order, amount=amount), _add(amount)


def withdraw(order: str, amount: int) -> tuple[Executable, Executable]:
    """A delete and an update: what its undo does."""
    return delete(entries).where(entries.c.order_id == order), _add(-amount)


def _add(amount: int) -> Executable:
    return update(totals).where(totals.c.name == "all").values(amount=totals.c.amount + amount)
