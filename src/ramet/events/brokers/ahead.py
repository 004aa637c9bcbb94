"""What was read of a consumer's partitions and waits until its sink has room."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from ramet.events.base import Delivery, Done, Message, Sink
from ramet.events.brokers.holding import Holding
from ramet.events.brokers.partition import Partition

AHEAD = 500


class _Arrived(NamedTuple):
    delivery: Delivery
    partition: Partition
    done: Done


class Ahead:
    """Some hundreds of messages at most; those of a partition that is read no more are dropped."""

    def __init__(self, sink: Sink, holding: Holding) -> None:
        self._sink = sink
        self._holding = holding
        self._events_each = 10.0  # in what is stored as one, of late
        self._waiting: deque[_Arrived] = deque()
        self._any = asyncio.Event()
        self._few = asyncio.Event()

    async def wanted(self) -> int:
        """Wait until little is left, and say how many packs should be read next."""
        while len(self._waiting) > AHEAD // 2:
            self._few.clear()
            await self._few.wait()
        return max(1, int((AHEAD - len(self._waiting)) / self._events_each))

    def add(self, messages: Sequence[Message], partition: Partition, position: int) -> None:
        """What is stored as one is at one position, which is done when all of it is."""
        self._events_each += (len(messages) - self._events_each) / 10
        again, left = position <= partition.again_until, len(messages)

        def done() -> None:
            nonlocal left
            left -= 1
            if not left:
                partition.done(position)

        self._waiting.extend(_Arrived(Delivery(message, again), partition, done) for message in messages)
        self._any.set()

    async def feed(self) -> None:
        """Put it into the sink, for ever."""
        while True:
            while not self._waiting:
                self._any.clear()
                await self._any.wait()
            for _ in range(min(await self._sink.room(), len(self._waiting))):
                delivery, partition, done = self._waiting.popleft()
                if partition in self._holding:
                    self._sink.put(delivery, done)
            if len(self._waiting) <= AHEAD // 2:
                self._few.set()
