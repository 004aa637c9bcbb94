"""Fakes and stand-ins."""

from __future__ import annotations

import pytest

from ramet import Application, Contract, External, Unavailable, command, query
from ramet.testing import NotFaked, Placement, running


class Rates(Contract, version="1.0.0"):
    @query
    async def rate(self, country: str) -> int: ...

    @command
    async def change(self, country: str, rate: int) -> None: ...


class Offers(Contract, version="1.0.0"):
    @query
    async def price(self, country: str) -> int: ...

    @command
    async def raise_all(self) -> None: ...


class RatesService(Rates):
    async def rate(self, country: str) -> int:
        return 1

    async def change(self, country: str, rate: int) -> None:
        """Nothing to change."""


class OffersService(Offers):
    rates: Rates

    async def price(self, country: str) -> int:
        return 100 + await self.rates.rate(country)

    async def raise_all(self) -> None:
        await self.rates.change("CH", 5)


class FakeRates(Rates):
    """Implements what the test needs, and leaves the rest out."""

    async def rate(self, country: str) -> int:
        return 7


async def test_a_service_alone_meets_its_faked_neighbour(placement: Placement) -> None:
    async with running(OffersService, fakes=[FakeRates], placement=placement) as app:
        assert await app.client(Offers).price("CH") == 107


async def test_a_fake_replaces_one_service_of_the_whole() -> None:
    whole = Application("offers", services=[OffersService, RatesService])
    async with running(whole, fakes=[FakeRates]) as app:
        assert await app.client(Offers).price("CH") == 107
    async with running(whole) as app:
        assert await app.client(Offers).price("CH") == 101


@pytest.mark.parametrize("fakes", [[], [FakeRates]], ids=["no fake", "a partial fake"])
async def test_calling_what_is_not_faked_names_what_is_missing(fakes: list[type[Contract]]) -> None:
    async with running(OffersService, fakes=fakes) as app:
        with pytest.raises(Exception, match="failed unexpectedly") as failed:
            await app.client(Offers).raise_all()
        causes = []
        error: BaseException | None = failed.value
        while error is not None:
            causes.append(error)
            error = error.__cause__
        assert any(isinstance(cause, NotFaked) and "Rates.change" in str(cause) for cause in causes)


class FixedRates(Rates):
    async def rate(self, country: str) -> int:
        return 7


OUTSIDE = Application("offers", services=[OffersService, External(Rates, url="http://127.0.0.1:9")])


async def test_a_contract_that_is_answered_outside_can_be_faked() -> None:
    async with running(OUTSIDE, fakes=[FixedRates]) as app:
        assert await app.client(Offers).price("CH") == 107


async def test_a_fake_of_one_contract_leaves_the_others_outside() -> None:
    class FixedOffers(Offers):
        async def price(self, country: str) -> int:
            return 1

    async with running(OUTSIDE, fakes=[FixedOffers]) as app:
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9"):
            await app.client(Rates).rate("CH")
