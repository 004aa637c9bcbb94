"""What replicas say and hear of each other."""

from __future__ import annotations

import asyncio

import msgspec

from ramet.clock import VirtualClock
from ramet.events.brokers.beats import Beats
from ramet.events.brokers.members import Beat
from ramet.tasks import Tasks

CONSUMER = "billing.note"


class Room:
    """Everybody in it hears everybody, unless it is `dead`."""

    def __init__(self) -> None:
        self.clock, self.tasks = VirtualClock(), Tasks()
        self.there: list[Beats] = []
        self.dead = False
        self.said: list[Beat] = []

    async def say(self, beat: bytes) -> None:
        if self.dead:
            raise ConnectionError
        self.said.append(msgspec.msgpack.decode(beat, type=Beat))
        for one in self.there:
            one.hear(beat)

    def enter(self) -> Beats:
        one = Beats(self.say, clock=self.clock, spawn=self.tasks.spawn, failures=(ConnectionError,))
        self.there.append(one)
        return one


async def test_who_joins_and_leaves_is_heard_at_once_by_those_who_work_for_a_consumer() -> None:
    room, woken = Room(), asyncio.Event()
    one, other = room.enter(), room.enter()
    one.join(CONSUMER, woken.set)
    await woken.wait()
    woken.clear()
    other.join(CONSUMER, lambda: None)
    await woken.wait()
    assert len(one.members.share(CONSUMER, 4, now=0.0)) == 2
    await other.leave()
    assert room.said[-1].leaving
    assert len(one.members.share(CONSUMER, 4, now=0.0)) == 4


async def test_beats_go_on_when_one_could_not_be_sent_and_silence_is_measured() -> None:
    room = Room()
    one = room.enter()
    room.dead = True
    room.tasks.spawn(one.run())
    await room.clock.advance(5)
    assert one.silence == 5
    room.dead = False
    await room.clock.advance(5)
    assert one.silence <= 1
    assert not one.members.may_live("nobody", now=room.clock.monotonic())
    one.restart()
    assert one.members.may_live("nobody", now=room.clock.monotonic())
    await room.tasks.stop()
