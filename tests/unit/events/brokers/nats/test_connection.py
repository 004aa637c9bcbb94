"""A connection that the library has given up is made anew, for as long as that takes."""

from __future__ import annotations

import pytest

from ramet.clock import VirtualClock
from ramet.errors import Unavailable
from ramet.events.brokers.nats.connection import Connection
from ramet.events.brokers.nats.options import read_url
from ramet.events.brokers.nats.wire import Names


class Doomed(Connection):
    """One whose new clients meet what `opened` does, instead of a server."""

    def __init__(self) -> None:
        super().__init__(
            read_url("nats://nowhere:1"), Names("shop"), VirtualClock(), lost=lambda: None, back=lambda: None
        )
        self.gone.set()

    async def open(self) -> None:
        self._is_ending = False
        await self.opened()

    async def opened(self) -> None:
        """It works."""


async def test_one_that_works_is_not_gone() -> None:
    connection = Doomed()
    await connection.renew()
    assert not connection.gone.is_set()


async def test_one_that_is_given_up_as_soon_as_it_works_is_gone() -> None:
    connection = Doomed()
    connection.opened = connection._closed  # type: ignore[method-assign]  # as the library would tell it
    await connection.renew()
    assert connection.gone.is_set()


async def test_one_that_cannot_be_had_is_still_gone() -> None:
    async def refused() -> None:
        raise Unavailable("it is not there")

    connection = Doomed()
    connection.opened = refused  # type: ignore[method-assign]  # as above
    with pytest.raises(Unavailable):
        await connection.renew()
    assert connection.gone.is_set()
