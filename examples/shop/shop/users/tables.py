"""The tables of users."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import JSON
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shop.users.contract import Profile


class Base(DeclarativeBase):
    pass


class Account(Base):
    __tablename__ = "accounts"

    id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    password: Mapped[str]
    name: Mapped[str]
    phone: Mapped[str] = mapped_column(default="")
    address: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    channels: Mapped[list[str]] = mapped_column(JSON)

    @property
    def profile(self) -> Profile:
        return msgspec.convert(self, Profile, from_attributes=True)
