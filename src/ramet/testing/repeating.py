"""Every delivery twice: what a lost reply, a reconnection or a restart does to a service, done to each call and event.

Service Weaver's test runner repeats calls, too (weavertest, `internal/net/call`). A query, a command with a key and an
event may be delivered again at any time, so a second delivery must change nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from ramet.contract.codec import Answer
from ramet.errors import InternalError
from ramet.events.base import Broker, Delivery, Done, Outlet, Sink, Subscription
from ramet.transport.base import Call, Peer, Serve

FAILED = b""


class Repeating:
    """Answers each call that may be repeated twice, and remembers where the second answer was another.

    Results and refusals are recorded, so they stay. A failure is not: the command runs again, and ought to fail again;
    what does not has kept something outside of its database. "Not now" (`Unavailable` and the like) means nothing.
    """

    def __init__(self, answer: Serve, queries: Collection[str]) -> None:
        self._answer = answer
        self._queries = frozenset(queries)
        self.differences: list[str] = []

    async def __call__(self, call: Call, peer: Peer) -> bytes:
        """The second answer, as who has lost the first gets it."""
        first = await self._answer(call, peer)
        if call.withdraw or (call.key is None and call.method not in self._queries):
            return first
        second = await self._answer(call, peer)
        if call.key is not None and _differ(_ending(first), _ending(second)):
            self.differences.append(f"{call.method} with the key {call.key}")
        return second


def _ending(data: bytes) -> bytes | None:
    """What two answers are compared by: failures are alike, each has an id of its own. None: it says nothing."""
    error = msgspec.msgpack.decode(data, type=Answer).error
    return data if not error else FAILED if error == InternalError.__name__ else None


def _differ(first: bytes | None, second: bytes | None) -> bool:
    return first is not None and second is not None and first != second


class _Around(Broker):
    """A broker that is in front of another."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def open(self) -> None:
        await self._broker.open()

    async def close(self) -> None:
        await self._broker.close()

    async def subscribe(self, subscription: Subscription) -> None:
        await self._broker.subscribe(subscription)

    def outlets(self, topics: Collection[str] | None = None) -> Sequence[Outlet]:
        return self._broker.outlets(topics)


class RepeatingBroker(_Around):
    """Delivers every event twice to each consumer."""

    async def subscribe(self, subscription: Subscription) -> None:
        await self._broker.subscribe(subscription._replace(sink=_Twice(subscription.sink)))


class Shared(_Around):
    """An embedded broker of several running applications, none of which opens or closes it for the others."""

    async def open(self) -> None:
        """There is nothing to connect to."""

    async def close(self) -> None:
        """The others may need it still."""


class _Twice(Sink):
    """Puts everything twice, the second time marked as `again`; done with a message when both are done."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def put(self, delivery: Delivery, done: Done) -> None:
        left = 2

        def one_done() -> None:
            nonlocal left
            left -= 1
            if not left:
                done()

        self._sink.put(delivery, one_done)
        self._sink.put(delivery._replace(again=True), one_done)

    async def room(self) -> int:
        return max(1, await self._sink.room() // 2)
