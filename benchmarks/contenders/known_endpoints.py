"""Discovery for a benchmark: endpoints that are known beforehand, and never change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ramet.runtime.discovery.base import Changed, Discovery
from ramet.runtime.operators.requests import Counts
from ramet.transport.base import Endpoint


class KnownEndpoints(Discovery):
    """Tells the endpoints it was given. That a replica registers is nobody's business: everybody has been told."""

    def __init__(self, endpoints: Mapping[str, Sequence[Endpoint]]) -> None:
        self._endpoints = {group: tuple(found) for group, found in endpoints.items()}

    async def start(self) -> None:
        """Nothing to begin."""

    async def register(self, endpoint: Endpoint) -> None:
        """Known already."""

    async def ready(self) -> None:
        """Known already."""

    def watch(self, group: str, changed: Changed) -> None:
        """Tells at once, and never again."""
        changed(self._endpoints.get(group, ()))

    def on_drain(self, callback: Callable[[], None]) -> None:
        """Nobody says so: a signal ends the process."""

    def report(self, counted: Callable[[], Counts]) -> None:
        """Nobody asks."""

    async def leave(self) -> None:
        """Nobody is told."""

    async def close(self) -> None:
        """Nothing to end."""
