"""What is on its way into a broker's store: order for each key, pipelining, and what happens without a connection."""

from __future__ import annotations

import asyncio

from ramet.clock import VirtualClock
from ramet.events.base import Delivery, Message
from ramet.events.brokers.outgoing import AGAIN_SECONDS, OVERDUE_SECONDS, Outgoing


class Bed:
    """An outgoing queue, and what it says is done."""

    def __init__(self, *, window: int = 1000, connected: bool = True) -> None:
        self.clock = VirtualClock()
        self.outgoing = Outgoing(self.clock, window=window)
        self.done: list[str] = []
        if connected:
            self.outgoing.resume()

    def put(self, name: str, key: str | None = None) -> None:
        message = Message(id=name, topic="orders.Placed", key=key)
        self.outgoing.put(Delivery(message), lambda: self.done.append(name))

    async def sent(self) -> dict[str, int]:
        """The ticket of everything that may be sent now, by id, in order."""
        found = {}
        try:
            while True:
                async with asyncio.timeout(0):
                    ticket, message = await self.outgoing.next()
                found[message.id] = ticket
        except TimeoutError:
            return found


async def test_messages_of_one_key_wait_for_each_other_and_others_do_not() -> None:
    bed = Bed()
    for name, key in (("a1", "a"), ("a2", "a"), ("b1", "b"), ("x", None), ("y", None)):
        bed.put(name, key)
    first = await bed.sent()
    assert list(first) == ["a1", "b1", "x", "y"]
    bed.outgoing.stored(first["a1"])
    assert list(await bed.sent()) == ["a2"]
    assert bed.done == ["a1"]


async def test_a_refused_message_is_sent_again_before_the_next_of_its_key() -> None:
    bed = Bed()
    bed.put("a1", "a")
    bed.put("a2", "a")
    ticket = (await bed.sent())["a1"]
    bed.outgoing.failed(ticket)
    bed.outgoing.repeat_overdue()
    assert await bed.sent() == {}
    await bed.clock.advance(AGAIN_SECONDS)
    bed.outgoing.repeat_overdue()
    assert await bed.sent() == {"a1": ticket}
    assert bed.done == []


async def test_what_is_not_confirmed_in_time_is_sent_again() -> None:
    bed = Bed()
    bed.put("x")
    ticket = (await bed.sent())["x"]
    await bed.clock.advance(OVERDUE_SECONDS)
    bed.outgoing.repeat_overdue()
    assert await bed.sent() == {"x": ticket}


async def test_after_a_lost_connection_everything_unconfirmed_is_sent_again_in_order() -> None:
    bed = Bed()
    for name in ("1", "2", "3"):
        bed.put(name)
    tickets = await bed.sent()
    bed.outgoing.stored(tickets["2"])
    bed.outgoing.pause()
    bed.put("4")
    assert await bed.sent() == {}
    bed.outgoing.resume()
    assert list(await bed.sent()) == ["1", "3", "4"]


async def test_a_confirmation_that_comes_after_all_ends_the_repetition() -> None:
    bed = Bed()
    bed.put("a1", "a")
    bed.put("a2", "a")
    ticket = (await bed.sent())["a1"]
    bed.outgoing.pause()
    bed.outgoing.resume()
    bed.outgoing.stored(ticket)
    bed.outgoing.stored(ticket)
    assert list(await bed.sent()) == ["a2"]
    assert bed.done == ["a1"]


async def test_there_is_room_for_a_window_and_none_without_a_connection() -> None:
    bed = Bed(window=4, connected=False)
    waiting = asyncio.ensure_future(bed.outgoing.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    bed.outgoing.resume()
    assert await waiting == 4
    for name in "1234":
        bed.put(name)
    tickets = await bed.sent()
    waiting = asyncio.ensure_future(bed.outgoing.room())
    bed.outgoing.stored(tickets["1"])
    await asyncio.sleep(0)
    assert not waiting.done()
    bed.outgoing.stored(tickets["2"])
    assert await waiting == 2
