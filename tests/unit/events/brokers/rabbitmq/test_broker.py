"""What the adapter does with its connections."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("aiormq", reason="pip install ramet[rabbitmq]")

from ramet.clock import VirtualClock
from ramet.events.brokers.rabbitmq.broker import RabbitBroker
from ramet.tasks import Tasks


class Slow:
    """A connection that does not close at the first attempt."""

    def __init__(self) -> None:
        self.attempts = 0
        self.begun = asyncio.Event()

    async def close(self) -> None:
        self.attempts += 1
        self.begun.set()
        if self.attempts == 1:
            await asyncio.Event().wait()


async def test_a_connection_that_was_closing_when_the_broker_is_closed_is_closed() -> None:
    tasks, connection = Tasks(), Slow()
    broker = RabbitBroker("amqp://localhost", application="shop", clock=VirtualClock(), spawn=tasks.spawn)
    broker._dialed.append(connection)  # type: ignore[arg-type]  # all that is asked of it
    broker._tasks.append(tasks.spawn(broker._hang_up()))
    await connection.begun.wait()
    await broker.close()
    await tasks.stop()
    assert connection.attempts == 2
