"""The embedded broker: consumers of this process, fed from the outbox itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ramet.errors import ConfigurationError
from ramet.events.base import Broker, Outlet, Subscription


class MemoryBroker(Broker):
    """Connects every relay with every consumer's lanes, and remembers nothing: durability is the outbox.

    Each consumer is an outlet of its own. A relay reads the outbox for each at that consumer's pace, so that a slow one
    costs neither memory nor the others' time, and marks an event as sent when all have handled it.
    """

    def __init__(self) -> None:
        self._outlets: dict[str, Outlet] = {}
        self._watchers: list[Callable[[Outlet], None]] = []

    async def open(self) -> None:
        """There is nothing to connect to."""

    async def close(self) -> None:
        self._outlets.clear()
        self._watchers.clear()

    async def subscribe(self, subscription: Subscription) -> None:
        name = subscription.consumer
        if name in self._outlets:
            raise ConfigurationError(
                f"The consumer {name} subscribes twice in one process; its replicas belong into processes of their own."
            )
        outlet = Outlet(name, subscription.topics, subscription.sink, subscription.past)
        self._outlets[name] = outlet
        for added in self._watchers:
            added(outlet)

    def outlets(self) -> Iterable[Outlet]:
        return tuple(self._outlets.values())

    def watch(self, added: Callable[[Outlet], None]) -> None:
        self._watchers.append(added)
