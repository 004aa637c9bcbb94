"""Accounts, sign-in, profiles and preferences."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from ramet import Clock, Database, Secret, Settings
from shop.users.contract import ProfileChanged, Users
from shop.users.passwords import hash_password, is_password
from shop.users.tables import Account, Base
from shop.users.tokens import sign, verify


class UsersSettings(Settings):
    token_secret: Secret
    token_lifetime: timedelta = timedelta(hours=12)
    password_cost: int = 4096


class UsersService(Users, tables=Base.metadata):
    db: Database
    settings: UsersSettings
    clock: Clock

    async def register(self, email, password, name):
        hashed = await hash_password(password, self.settings.password_cost)
        account = Account(id=self.clock.id(), email=email, password=hashed, name=name, channels=["email"])
        try:
            async with self.db.session() as session:
                session.add(account)
        except IntegrityError:
            raise self.EmailTaken(email=email) from None
        return await self._changed(account)

    async def sign_in(self, email, password):
        async with self.db.session() as session:
            account = await session.scalar(select(Account).where(Account.email == email))
        if account is None or not await is_password(password, account.password):
            raise self.WrongPassword
        expires = self.clock.time() + self.settings.token_lifetime.total_seconds()
        return sign(account.id, expires, self.settings.token_secret.reveal())

    async def identify(self, token):
        return verify(token, self.clock.time(), self.settings.token_secret.reveal())

    async def profile(self, customer_id):
        async with self.db.session() as session:
            account = await session.get(Account, customer_id)
        if account is None:
            raise self.NoSuchCustomer(customer_id=customer_id)
        return account.profile

    async def change_profile(self, customer_id, change):
        async with self.db.session() as session:
            account = await session.get(Account, customer_id, with_for_update=True)
            if account is None:
                raise self.NoSuchCustomer(customer_id=customer_id)
            for field, value in msgspec.to_builtins(change).items():
                if value is not None:
                    setattr(account, field, value)
        return await self._changed(account)

    async def _changed(self, account: Account):
        profile = account.profile
        await self.publish(ProfileChanged(customer_id=account.id, profile=profile))
        return profile
