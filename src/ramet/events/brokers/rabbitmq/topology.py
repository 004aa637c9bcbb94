"""The exchanges and queues of an application in RabbitMQ, declared by every process alike."""

from __future__ import annotations

from collections.abc import Mapping

from aiormq.abc import AbstractChannel, AbstractConnection
from aiormq.exceptions import ChannelPreconditionFailed
from pamqp.common import FieldTable

from ramet.errors import ConfigurationError
from ramet.events.base import Interest
from ramet.events.brokers.rabbitmq.names import Names, routing_key
from ramet.events.brokers.rabbitmq.options import RabbitOptions

DAY_MILLISECONDS = 86_400_000
OLDEST = (3, 10)
UNLIMITED = (4, 0)
"""Since this version a queue drops what was delivered 20 times, unless it is told not to."""


async def declare_exchanges(channel: AbstractChannel, names: Names, options: RabbitOptions) -> None:
    """The exchanges, and a queue that is never used: its arguments hold what all processes must agree on."""
    await channel.exchange_declare(names.events, exchange_type="direct", durable=True)
    await channel.exchange_declare(names.members, exchange_type="fanout", durable=True)
    arguments: FieldTable = {"x-max-length": options.partitions}
    try:
        await channel.queue_declare(names.layout, durable=True, arguments=arguments)
    except ChannelPreconditionFailed as error:
        raise ConfigurationError(
            f"{names.layout} at {options.shown} was declared with another number of partitions than "
            f"{options.partitions}: name that number as ?partitions= in the broker's address ({error})"
        ) from error


async def declare_queues(
    channel: AbstractChannel, names: Names, options: RabbitOptions, interest: Interest, version: tuple[int, ...]
) -> None:
    """The queues of one consumer, bound to its topics."""
    arguments: FieldTable = {
        "x-queue-type": "quorum",
        "x-single-active-consumer": True,
        "x-message-ttl": int(options.retention_days * DAY_MILLISECONDS),
    }
    if version >= UNLIMITED:
        arguments["x-delivery-limit"] = -1
    for number in range(options.partitions):
        queue = names.queue(interest.consumer, number)
        try:
            await channel.queue_declare(queue, durable=True, arguments=arguments)
        except ChannelPreconditionFailed as error:
            raise ConfigurationError(
                f"The queue {queue} at {options.shown} was declared in another way: let it run empty and delete it "
                f"({error})"
            ) from error
        for topic in sorted(interest.topics):
            await channel.queue_bind(queue, names.events, routing_key=routing_key(number, topic))


def version_of(connection: AbstractConnection) -> tuple[int, ...]:
    """The server's version."""
    properties: Mapping[str, object] = getattr(connection, "server_properties", None) or {}
    text = properties.get("version", "")
    text = text.decode() if isinstance(text, bytes) else str(text)
    return tuple(int(part) for part in text.split(".")[:2] if part.isdigit())
