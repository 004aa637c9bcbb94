"""The port: what stands between the outbox of a publisher and the inboxes of the subscribers.

```
commit ── outbox ── relay ──put──▶ outlet │ broker │ ──put──▶ consumer's lanes ── handler + inbox, one transaction
                      ▲                                             │
                      └──────────────── done ───────────────────────┘
```

Every arrow is a `Sink`: messages are put in order, the sink says how many more it has room for, and calls `done` once
it has taken the responsibility over. The embedded broker stores nothing: its outlets are the consumers' own lanes, so
that an event stays in its outbox until every consumer has handled it. A broker with a memory of its own (JetStream,
RabbitMQ) has one outlet, which is done with a message when that is stored there, and feeds the lanes itself.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Container, Iterable, Sequence
from typing import NamedTuple

import msgspec

from ramet.errors import ConfigurationError


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """An event on its way.

    `topic` is "<contract>.<Event>", `key` what order is kept by (None: no order), `version` the version of the event's
    schema, `at` when it was published (seconds since the epoch), `headers` the context of the work that published it.
    """

    id: str
    topic: str
    key: str | None = None
    version: int = 1
    payload: bytes = b""
    headers: dict[str, str] = {}
    at: float = 0.0


class Delivery(NamedTuple):
    """A message handed to a consumer.

    `again`: it may have been delivered before (a redelivery, a restart), so look before running the handler. False is
    a hint that saves a read; exactly-once does not depend on it. `renewals` is given when an operator had a dead letter
    replayed: how often with new keys for the commands that the handler calls.
    """

    message: Message
    again: bool = False
    renewals: int | None = None


Done = Callable[[], None]
Deliver = Callable[[Delivery], Awaitable[float | None]]
"""One attempt: None when the message is handled or dead-lettered, else the seconds until the next attempt."""


class Sink(ABC):
    """Somewhere messages are put, one after the other, in the order in which they are to be handled for each key."""

    @abstractmethod
    def put(self, delivery: Delivery, done: Done) -> None:
        """Take a message; `done` is called once, when it needs no further care of the giver. Never blocks.

        Put without having asked for room it is taken all the same: replays and tests do so.
        """

    @abstractmethod
    async def room(self) -> int:
        """Wait until there is room, and say for how many: this is the back-pressure."""


class Past(ABC):
    """How far a consumer that asked for the retained past has got; kept in the consumer's own database."""

    @abstractmethod
    async def positions(self, topics: Collection[str]) -> dict[str, int]:
        """For those of the topics whose past is wanted still: the last position handled, 0 at first."""

    @abstractmethod
    async def reached(self, topics: Collection[str], position: int | None) -> None:
        """Everything up to `position` is handled; None: the whole past is."""


class Subscription(NamedTuple):
    """A consumer: a group of replicas that share the work, named "<service>.<method>".

    `past` is given when the consumer wants what was published before it existed, as far as that is retained. A broker
    with a memory of its own says `past.reached(topics, None)` when it has noted where the consumer begins.
    """

    consumer: str
    topics: frozenset[str]
    sink: Sink
    past: Past | None = None


class Interest(NamedTuple):
    """What one consumer of the application wants, wherever it runs.

    A broker with a memory is told those of the whole application: each process declares all of them before its relays
    start, so that nothing is published before the place where a consumer begins is known. `retained`: it begins with
    what was published before it existed, as far as that is kept.
    """

    consumer: str
    topics: frozenset[str]
    retained: bool = False


class Outlet(NamedTuple):
    """Where a relay puts messages. `topics` None: all of them."""

    name: str
    topics: frozenset[str] | None
    sink: Sink
    past: Past | None = None


def check_unsubscribed(consumer: str, subscribed: Container[str]) -> None:
    """Raises: ConfigurationError where a consumer has subscribed in this process already."""
    if consumer in subscribed:
        raise ConfigurationError(
            f"The consumer {consumer} subscribes twice in one process; its replicas belong into processes of their own."
        )


class Broker(ABC):
    """Carries messages from outboxes to consumers.

    What every adapter guarantees, and `ramet.testing.conformance.broker` checks:

    - **At least once.** What an outlet was given reaches every consumer that subscribes to its topic. The outlet is
      `done` with a message only when the broker has it durably, or when every consumer is done with it. What was not
      done is given again after a restart, to all.
    - **Acknowledged after handling.** A consumer's message is settled when its sink is done with it. One that is not
      (a crash, a disconnection) is delivered again, marked `again`.
    - **Order per key.** A consumer gets the messages of one topic with one key in the order in which they were put,
      also across retries: the next is not begun before the last is done. Other keys, and messages without a key, go on.
    - **Each message once per consumer group.** Replicas that subscribe under one name share the messages.
    - **Back-pressure.** A consumer that has no room is given nothing; the outlets have no room before memory is in
      danger. A consumer that is slow or stuck never holds up the others.
    """

    @abstractmethod
    async def open(self) -> None:
        """Connect. Raises: Unavailable with the address and the remedy."""

    @abstractmethod
    async def close(self) -> None:
        """Deliver nothing more and disconnect; what is not done stays where it is durable."""

    @abstractmethod
    async def subscribe(self, subscription: Subscription) -> None:
        """Deliver to this consumer from now on.

        Every consumer of an application subscribes before its first relay starts: what a relay sends while a consumer
        is not there yet would be lost to it. Raises: ConfigurationError where a broker without memory notices that, and
        where this process has the consumer already.
        """

    @abstractmethod
    def outlets(self, topics: Collection[str] | None = None) -> Sequence[Outlet]:
        """Where a relay of these topics (None: any) puts what it reads. Asked for once, when the relay starts."""

    async def publish(self, messages: Iterable[Message]) -> None:
        """Put messages in order into every outlet that wants them, and wait until all are done.

        For tests and tools: services publish through their outbox.
        """
        outlets = self.outlets()
        waiting = 0
        finished = asyncio.Event()

        def done() -> None:
            nonlocal waiting
            waiting -= 1
            if not waiting:
                finished.set()

        for message in messages:
            for outlet in outlets:
                if outlet.topics is None or message.topic in outlet.topics:
                    await outlet.sink.room()
                    finished.clear()
                    waiting += 1
                    outlet.sink.put(Delivery(message), done)
        if waiting:
            await finished.wait()
