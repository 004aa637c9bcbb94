"""What the four participants of a full saga keep, each in a database of its own."""

from __future__ import annotations

from sqlalchemy import Column, Integer, MetaData, String, Table, bindparam, insert, select, update
from sqlalchemy.sql import Executable

NAMES = ("stock", "money", "parcels", "letters")

metadata = MetaData()
entries = Table(
    "entries", metadata, Column("order_id", String, primary_key=True), Column("amount", Integer, nullable=False)
)

Statement = tuple[Executable, dict[str, object]]

_ENTER = insert(entries)
_ENTER_ONCE = insert(entries).prefix_with("OR IGNORE")
_WITHDRAW = update(entries).where(entries.c.order_id == bindparam("order")).values(amount=0)

_LOOK = select(entries.c.amount).where(entries.c.order_id == bindparam("order"))
_TAKE = update(entries).where(entries.c.order_id == bindparam("order")).values(amount=entries.c.amount - 1)


def look(order: str) -> Statement:
    """How much there is."""
    return _LOOK, {"order": order}


def take(order: str) -> Statement:
    """One less."""
    return _TAKE, {"order": order}


def enter(order: str, amount: int) -> Statement:
    """What a step does to its participant."""
    return _ENTER, {"order_id": order, "amount": amount}


def enter_once(order: str, amount: int) -> Statement:
    """The same for a step that may be repeated, with nobody who remembers."""
    return _ENTER_ONCE, {"order_id": order, "amount": amount}


def withdraw(order: str) -> Statement:
    """What an undo does; it may be repeated."""
    return _WITHDRAW, {"order": order}
