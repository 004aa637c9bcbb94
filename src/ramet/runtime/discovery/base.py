"""The port: how a replica makes itself known, and hears where the replicas of the other process groups are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from ramet.runtime.operators.requests import Counts
from ramet.transport.base import Endpoint

Changed = Callable[[Sequence[Endpoint] | None], None]
"""Is given all the endpoints of a group, whenever they are no longer what they were.

None says that nobody is there, and nobody is about to come, as in a group that was stopped.
"""


class Discovery(ABC):
    """One replica's view of the others.

    In order: `on_drain`, `start`, `register`, `ready`, and at the end `leave` and `close`; `watch` at any time. What
    is known stays known while whoever tells it is away: a caller goes on with the endpoints it has.
    """

    @abstractmethod
    async def start(self) -> None:
        """Begin to listen; returns when each watched group was told once, be it that nobody is there yet.

        Raises: Unavailable when nobody who would know can be reached.
        """

    @abstractmethod
    async def register(self, endpoint: Endpoint) -> None:
        """Say where this replica answers, once its address is bound. Nobody is sent there yet."""

    @abstractmethod
    async def ready(self) -> None:
        """Say that this replica answers: from now on the others are told of it, for as long as it is alive."""

    @abstractmethod
    def watch(self, group: str, changed: Changed) -> None:
        """Be told of a group's ready endpoints: at once where they are known, else soon; and at every change."""

    @abstractmethod
    def on_drain(self, callback: Callable[[], None]) -> None:
        """Be told, once, that this replica is to finish what is in flight and end. Nobody is sent to it any more."""

    @abstractmethod
    def report(self, counted: Callable[[], Counts]) -> None:
        """Tell whoever keeps that what this replica has counted: from time to time, and at its end."""

    @abstractmethod
    async def leave(self) -> None:
        """Take this replica's endpoint away, and listen no more. Harmless when nothing was started."""

    @abstractmethod
    async def close(self) -> None:
        """Hang up, when there is nothing left to report."""
