"""A handler is given the event; what it cannot be given is a dead letter, what it cannot do is tried again."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import ClassVar

import msgspec

from ramet import Application, Contract, Event, on
from ramet.clock import VirtualClock
from ramet.contract.reading.application import read
from ramet.events.base import Message
from ramet.events.outbox import publish_write
from ramet.model.topology import Deployment
from ramet.runtime.running import Options, Running
from ramet.runtime.wiring import embedded
from ramet.storage.work import transact
from ramet.telemetry.scope import Scope, Work
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


class Diary(Contract, version="1.0.0"): ...


class DiaryService(Diary):
    read: ClassVar[list[str]] = []

    @on(Sold)
    async def note(self, event: Sold) -> None:
        self.read.append(event.sku)


class DiaryWithoutHandler(Diary): ...


async def test_a_handler_that_was_gone_for_a_release_goes_on_where_it_was(tmp_path: Path) -> None:
    async def release(diary: type[Diary], sku: str) -> None:
        clock = VirtualClock(seed=len(sku))
        application = Application("shop", services=[StockService, diary])
        shop = Running(read(application), embedded(Deployment(durability="off"), tmp_path), Options(clock=clock))
        await shop.start()
        stock = shop.services["stock"]
        await transact(stock.storage, Scope("stock", Work.COMMAND, "sell"), partial(stock.link.publish, Sold(sku=sku)))
        await clock.advance(1)
        await shop.stop()

    await release(DiaryWithoutHandler, "before it subscribed")
    await release(DiaryService, "tea")
    await release(DiaryWithoutHandler, "coffee")
    await release(DiaryWithoutHandler, "chocolate")
    await release(DiaryService, "cake")
    assert DiaryService.read == ["tea", "coffee", "chocolate", "cake"]
