"""What the other services may know of users."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from ramet import Contract, Event, Refusal, Struct, command, query

Channel = Literal["email", "sms", "push"]
Name = Annotated[str, Meta(min_length=1, max_length=100)]


class Address(Struct):
    street: Name
    city: Name
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$")]
    """Two letters, ISO 3166-1."""


class Profile(Struct):
    id: str
    email: str
    name: str
    phone: str = ""
    address: Address | None = None
    channels: frozenset[Channel] = frozenset({"email"})
    """How the customer wants to hear from us."""


class ProfileChange(Struct):
    """The fields to change; None leaves one as it is."""

    name: Name | None = None
    phone: Annotated[str, Meta(max_length=30)] | None = None
    address: Address | None = None
    channels: frozenset[Channel] | None = None


class ProfileChanged(Event, key="customer_id"):
    """Somebody has registered, or changed the profile; it comes whole, so that others can keep a copy."""

    customer_id: str
    profile: Profile


class Users(Contract, version="1.0.0"):
    """Keeps accounts, passwords, profiles and preferences."""

    class EmailTaken(Refusal):
        """There is an account with the address {email} already."""

        email: str

    class WrongPassword(Refusal, status=401):
        """The e-mail address and the password do not belong together."""

    class NoSuchCustomer(Refusal, status=404):
        """There is no customer {customer_id}."""

        customer_id: str

    @command(refuses=EmailTaken)
    async def register(self, email: str, password: str, name: str) -> Profile: ...

    @query(refuses=WrongPassword)
    async def sign_in(self, email: str, password: str) -> str:
        """A signed token that `identify` recognises until it expires."""
        ...

    @query
    async def identify(self, token: str) -> str | None:
        """The customer for whom a token was signed; None when it is forged or has expired."""
        ...

    @query(refuses=NoSuchCustomer)
    async def profile(self, customer_id: str) -> Profile: ...

    @command(refuses=NoSuchCustomer)
    async def change_profile(self, customer_id: str, change: ProfileChange) -> Profile: ...
