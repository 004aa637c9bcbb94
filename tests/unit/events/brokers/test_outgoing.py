"""What is on its way into a broker's store: order for each key, pipelining, and what happens without a connection."""

from __future__ import annotations

import asyncio

from ramet.clock import VirtualClock
from ramet.events.base import Delivery, Message
from ramet.events.brokers.outgoing import AGAIN_SECONDS, ASIDE_SECONDS, OVERDUE_SECONDS, PACK_BYTES, Outgoing


class Bed:
    """An outgoing queue, and what it says is done."""

    def __init__(self, *, most: int = 1, packs: int = 1000, window: int = 1000, connected: bool = True) -> None:
        self.clock = VirtualClock()
        self.outgoing = Outgoing(self.clock, route=lambda message: message.topic, most=most, packs=packs, window=window)
        self.done: list[str] = []
        if connected:
            self.outgoing.resume()

    def put(self, name: str, key: str | None = None, topic: str = "orders.Placed", size: int = 0) -> None:
        message = Message(id=name, topic=topic, key=key, payload=b"x" * size)
        self.outgoing.put(Delivery(message), lambda: self.done.append(name))

    async def sent(self) -> dict[str, int]:
        """The ticket of everything that may be sent now, by the ids of a pack, in order."""
        found = {}
        try:
            while True:
                async with asyncio.timeout(0):
                    pack = await self.outgoing.next()
                found["+".join(message.id for message in pack.messages)] = pack.ticket
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


async def test_what_may_be_sent_together_is_one_pack_for_each_route() -> None:
    bed = Bed(most=3)
    for name, key, topic in (("a1", "a", "A"), ("b", None, "B"), ("a2", "a", "A"), ("x", None, "A"), ("y", None, "A")):
        bed.put(name, key, topic)
    sent = await bed.sent()
    assert list(sent) == ["a1+a2+x", "b", "y"]
    bed.outgoing.stored(sent["a1+a2+x"])
    assert bed.done == ["a1", "a2", "x"]


async def test_a_key_that_a_pack_has_no_more_room_for_waits_until_it_is_stored() -> None:
    bed = Bed(most=2)
    for name, key in (("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b")):
        bed.put(name, key)
    sent = await bed.sent()
    assert list(sent) == ["a1+a2", "b1"]
    bed.outgoing.stored(sent["a1+a2"])
    assert list(await bed.sent()) == ["a3"]


async def test_a_key_goes_on_with_another_topic_when_the_one_before_is_stored() -> None:
    bed = Bed(most=9)
    for name, topic in (("1", "A"), ("2", "B"), ("3", "A")):
        bed.put(name, "a", topic)
    for name in ("1", "2", "3"):
        sent = await bed.sent()
        assert list(sent) == [name]
        bed.outgoing.stored(sent[name])


async def test_a_large_message_does_not_make_a_pack_larger_than_what_the_broker_takes() -> None:
    bed = Bed(most=9)
    for name, size in (("a", 10), ("b", PACK_BYTES), ("c", 10), ("d", 2 * PACK_BYTES), ("e", 10)):
        bed.put(name, "k", size=size)
    for expected in ("a", "b", "c", "d", "e"):
        (found,) = (await bed.sent()).items()
        assert found[0] == expected
        bed.outgoing.stored(found[1])


async def test_what_is_sent_again_is_the_same_pack() -> None:
    bed = Bed(most=9)
    bed.put("1")
    bed.put("2")
    sent = await bed.sent()
    bed.outgoing.pause()
    bed.put("3")
    bed.outgoing.resume()
    assert await bed.sent() == {"1+2": sent["1+2"], "3": sent["1+2"] + 1}


async def test_while_enough_packs_are_on_their_way_the_next_ones_gather() -> None:
    bed = Bed(most=9, packs=1)
    bed.put("1")
    first = await bed.sent()
    bed.put("2")
    bed.put("3")
    assert await bed.sent() == {}
    bed.outgoing.stored(first["1"])
    assert list(await bed.sent()) == ["2+3"]


async def test_messages_that_are_never_taken_are_sent_again_and_no_other_waits_for_them() -> None:
    bed = Bed(packs=2)
    for name in ("large", "huge", "small", "another"):
        bed.put(name)
    first = await bed.sent()
    assert list(first) == ["large", "huge"]
    for ticket in first.values():
        bed.outgoing.refused(ticket)
    others = await bed.sent()
    assert list(others) == ["small", "another"]
    for ticket in others.values():
        bed.outgoing.stored(ticket)
    await bed.clock.advance(ASIDE_SECONDS)
    bed.outgoing.repeat_overdue()
    assert await bed.sent() == first
    bed.outgoing.stored(first["huge"])
    assert bed.done == ["small", "another", "huge"]


async def test_packs_are_as_large_as_the_connection_takes() -> None:
    bed = Bed(most=9, connected=False)
    for name in ("1", "2", "3", "4"):
        bed.put(name, size=4_000)
    bed.outgoing.resume(10_000)
    assert list(await bed.sent()) == ["1+2", "3+4"]
    bed.outgoing.pause()
    bed.outgoing.resume(5_000)
    for name in ("5", "6"):
        bed.put(name, size=4_000)
    assert list(await bed.sent()) == ["1+2", "3+4", "5", "6"]
