"""The embedded broker: consumers of this process, fed from the outbox itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ramet.errors import ConfigurationError
from ramet.events.base import Broker, Outlet, Subscription, check_unsubscribed


class MemoryBroker(Broker):
    """Connects every relay with every consumer's lanes, and remembers nothing: durability is the outbox.

    Each consumer is an outlet of its own. A relay reads the outbox for each at that consumer's pace, so that a slow one
    costs neither memory nor the others' time, and marks an event as sent when all have handled it.
    """

    def __init__(self) -> None:
        self._outlets: dict[str, Outlet] = {}
        self._sending: set[str] = set()

    async def open(self) -> None:
        """There is nothing to connect to."""

    async def close(self) -> None:
        self._outlets.clear()
        self._sending.clear()

    async def subscribe(self, subscription: Subscription) -> None:
        name = subscription.consumer
        check_unsubscribed(name, self._outlets)
        if missed := subscription.topics & self._sending:
            raise ConfigurationError(
                f"The consumer {name} subscribes to {', '.join(sorted(missed))}, which a relay is sending already: "
                "subscribe every consumer of every service before the first relay is started."
            )
        self._outlets[name] = Outlet(name, subscription.topics, subscription.sink, subscription.past)

    def outlets(self, topics: Collection[str] | None = None) -> Sequence[Outlet]:
        if topics is None:
            return tuple(self._outlets.values())
        self._sending.update(topics)
        return tuple(outlet for outlet in self._outlets.values() if not outlet.topics or outlet.topics & set(topics))
