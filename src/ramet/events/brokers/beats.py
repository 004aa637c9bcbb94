"""The beats by which the replicas of an application know of each other, over whatever the broker has for that."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from ramet.clock import Clock
from ramet.events.brokers.members import BEAT_SECONDS, Beat, Members, encode_beat
from ramet.tasks import Spawn

log = logging.getLogger("ramet.events.beats")


class Beats:
    """Every second, and at each change, `send` brings a beat to all replicas, this one included; `hear` takes theirs.

    `failures` are what `send` ends with where there is no connection. A beat that is lost is no matter.
    """

    def __init__(
        self,
        send: Callable[[bytes], Awaitable[object]],
        *,
        clock: Clock,
        spawn: Spawn,
        failures: tuple[type[Exception], ...],
    ) -> None:
        self.clock = clock
        self.members = Members(clock.id(), now=clock.monotonic())
        self._send = send
        self._spawn = spawn
        self._failures = failures
        self._wakes: dict[str, Callable[[], None]] = {}
        self._news = 0
        self._heard_at = clock.monotonic()

    def join(self, consumer: str, wake: Callable[[], None]) -> None:
        """This replica works for a consumer, too; `wake` is called when others come or go."""
        self._wakes[consumer] = wake
        self.announce()

    def announce(self) -> None:
        """Something changed that others should know at once."""
        self._news += 1
        self._spawn(self._tell())

    async def run(self) -> None:
        """Beat, for ever."""
        while True:
            await self._tell()
            await self.clock.sleep(BEAT_SECONDS)
            self._wake()

    async def leave(self) -> None:
        """The last beat. Raises: what `send` raises."""
        await self._send(self._beat(leaving=True))

    def hear(self, data: bytes) -> None:
        """A beat came in."""
        self._heard_at = self.clock.monotonic()
        if self.members.hear(data, now=self._heard_at):
            self._wake()

    def restart(self) -> None:
        """Nothing could be heard for a while, and from now on it can."""
        self._heard_at = self.clock.monotonic()
        self.members.restart(now=self._heard_at)

    @property
    def silence(self) -> float:
        """For how many seconds nothing was heard, its own beats included."""
        return self.clock.monotonic() - self._heard_at

    def _wake(self) -> None:
        for wake in self._wakes.values():
            wake()

    async def _tell(self) -> None:
        try:
            await self._send(self._beat())
        except self._failures as error:
            log.debug("the other replicas hear of this with the next beat: %s", error)

    def _beat(self, *, leaving: bool = False) -> bytes:
        return encode_beat(Beat(self.members.instance, tuple(sorted(self._wakes)), self._news, leaving))
