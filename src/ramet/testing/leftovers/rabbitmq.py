"""What a test leaves behind in RabbitMQ, removed."""

from __future__ import annotations

from collections.abc import Collection

from ramet.errors import MissingExtra
from ramet.events.base import Interest
from ramet.events.brokers.rabbitmq.names import Names
from ramet.events.brokers.rabbitmq.options import read_url

try:
    import aiormq
except ImportError as error:
    raise MissingExtra("aio-pika", "rabbitmq", "A test on RabbitMQ") from error


async def forget(url: str, application: str, interests: Collection[Interest]) -> None:
    """Delete the exchanges and queues of an application; harmless where they are not there."""
    options, names = read_url(url), Names(application)
    connection = await aiormq.connect(options.url)
    try:
        channel = await connection.channel()
        for exchange in (names.events, names.members):
            await channel.exchange_delete(exchange)
        await channel.queue_delete(names.layout)
        for interest in interests:
            for number in range(options.partitions):
                await channel.queue_delete(names.queue(interest.consumer, number))
    finally:
        await connection.close()
