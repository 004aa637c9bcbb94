"""Pure: the names an application has in RabbitMQ."""

from __future__ import annotations

from ramet.events.base import Message
from ramet.events.brokers.partition import partition_of


class Names:
    """Events go to one exchange, by partition and topic; each consumer has a queue for each partition."""

    def __init__(self, application: str) -> None:
        self.events = f"ramet.{application}.events"
        self.members = f"ramet.{application}.members"
        self.layout = f"ramet.{application}.layout"
        self._queue = f"ramet.{application}"

    def queue(self, consumer: str, number: int) -> str:
        """The queue of one partition of one consumer."""
        return f"{self._queue}.{consumer}.{number}"

    def route(self, message: Message, partitions: int) -> str:
        """Where a message goes: those of one key to one partition, those without a key to any."""
        number = partition_of(message.id if message.key is None else message.key, partitions)
        return routing_key(number, message.topic)


def routing_key(number: int, topic: str) -> str:
    """What the queues of a partition are bound by, for a topic."""
    return f"{number}.{topic}"
