"""A handler is given the event; what it cannot be given is a dead letter, what it cannot do is tried again."""

from __future__ import annotations

import msgspec

from ramet import Application, Contract, Event, on
from ramet.events.base import Message
from ramet.events.outbox import publish_write
from ramet.testing import running


class Sold(Event):
    sku: str


class Stock(Contract, version="1.0.0", publishes=Sold): ...


class StockService(Stock): ...


class Books(Contract, version="1.0.0"): ...


class BooksService(Books):
    async def startup(self) -> None:
        self.tried: list[str] = []

    @on(Sold, attempts=3, backoff="1ms")
    async def note(self, event: Sold) -> None:
        self.tried.append(event.sku)
        msgspec.json.decode(b"<html>the neighbour is being repaired</html>")


APP = Application("shop", services=[StockService, BooksService])


async def test_what_a_handler_cannot_decode_itself_is_a_failure_like_any_other() -> None:
    async with running(APP) as shop:
        await shop.publish(Sold(sku="tea"))
        await shop.eventually(lambda: shop.service(BooksService).tried == ["tea"] * 3)


async def test_a_payload_that_does_not_fit_never_reaches_the_handler() -> None:
    async with running(APP) as shop:
        stock, books = shop.running.services["stock"], shop.running.services["books"]
        for number, payload in enumerate((b'{"sku": 7}', b'{"sku": "\xff"}', b"<html>")):
            message = Message(id=str(number), topic="stock.Sold", payload=payload, at=shop.clock.time())
            await stock.storage.write(publish_write(message))
        assert stock.link.relay is not None
        stock.link.relay.wake()

        async def dead() -> bool:
            letters = await books.storage.fetch("SELECT error FROM ramet_dead_letter")
            return len(letters) == 3 and all("stock.Sold version 1 cannot be read" in error for (error,) in letters)

        await shop.eventually(dead)
        assert shop.service(BooksService).tried == []
