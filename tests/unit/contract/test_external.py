"""Contracts that are answered outside of the application."""

from __future__ import annotations

import pytest

from ramet.contract.application import Application
from ramet.contract.external import External
from ramet.contract.reading.application import examine, read
from ramet.contract.service import Contract, query


class Likes(Contract, version="1.0.0"):
    @query
    async def similar(self, sku: str) -> int: ...


class Store(Contract, version="1.0.0"):
    @query
    async def look(self) -> int: ...


class StoreService(Store):
    likes: Likes

    async def look(self) -> int:
        return await self.likes.similar("tea")


LIKES = External(Likes, url="http://localhost:8090", token="secret")


def test_an_external_contract_is_provided_for() -> None:
    declared = read(Application("shop", services=[StoreService, LIKES]))
    (external,) = declared.externals
    assert (external.contract.cls, external.url, external.token) == (Likes, "http://localhost:8090", "secret")
    assert "secret" not in repr(LIKES)


def test_without_it_somebody_needs_what_nobody_implements() -> None:
    _, problems = examine(Application("shop", services=[StoreService]))
    assert "depends on Likes, which no service implements" in str(problems[0])


def test_it_is_found_in_the_modules_of_a_package() -> None:
    assert [one.contract.cls for one in read(Application("shop", services=[__name__])).externals] == [Likes]


@pytest.mark.parametrize("thing", [StoreService, Contract, int])
def test_what_is_no_contract_is_a_mistake(thing: type) -> None:
    _, problems = examine(Application("shop", services=[External(thing, url="http://localhost")]))
    assert "does not name a contract" in str(problems[0])
