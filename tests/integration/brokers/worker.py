"""A replica of a consumer as a process: handles each event once, as an inbox does, until it is told to stop.

`python -m tests.integration.brokers.worker URL APPLICATION DATABASE`
"""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys

from ramet.clock import SystemClock
from ramet.events.base import Broker, Delivery, Interest, Subscription
from ramet.events.brokers.nats.broker import NatsBroker
from ramet.events.brokers.rabbitmq.broker import RabbitBroker
from ramet.events.brokers.redis.broker import RedisBroker
from ramet.events.lanes import Lanes
from ramet.tasks import Tasks

KINDS = {"nats": NatsBroker, "tls": NatsBroker, "amqp": RabbitBroker, "amqps": RabbitBroker}
KINDS |= {"redis": RedisBroker, "rediss": RedisBroker}
INTEREST = Interest("billing.note", frozenset({"orders.Placed"}))


def make_broker(url: str, application: str, tasks: Tasks) -> Broker:
    """The adapter for an address."""
    kind = KINDS[url.partition("://")[0]]
    return kind(url, application=application, clock=SystemClock(), spawn=tasks.spawn, interests=[INTEREST])


async def work(url: str, application: str, database: str) -> None:
    """Handle until SIGTERM."""
    connection = sqlite3.connect(database, isolation_level=None, timeout=30)
    tasks, stopped = Tasks(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)

    async def handle(delivery: Delivery) -> None:
        message = delivery.message
        connection.execute("INSERT OR IGNORE INTO handled (id, key) VALUES (?, ?)", (message.id, message.key))
        print(message.id, flush=True)  # noqa: T201 - so that the test looks

    lanes = Lanes(handle, spawn=tasks.spawn, clock=SystemClock())
    broker = make_broker(url, application, tasks)
    await broker.open()
    await broker.subscribe(Subscription(INTEREST.consumer, INTEREST.topics, lanes))
    print("ready", flush=True)  # noqa: T201 - what the test waits for
    await stopped.wait()
    await lanes.close()
    await broker.close()
    await tasks.stop()


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
