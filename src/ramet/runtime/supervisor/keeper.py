"""One process group: as many replicas as are wanted, exchanged for new ones without ever being fewer meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from ramet.errors import ConfigurationError, RametError, Unavailable
from ramet.runtime.planning import Placed
from ramet.runtime.supervisor.member import Around, Member
from ramet.transport.base import Endpoint

GIVEN_UP = "was not ready when another change of its group was asked for"


class Keeper:
    """Keeps a group at its size. What changes it is done one after the other; what comes waits for no start to end.

    An `exclusive` group has something that only one process can have, such as SQLite files or a fixed internal port:
    its old replica has to end before the new one starts.
    """

    def __init__(self, placed: Placed, around: Around, *, exclusive: bool = False) -> None:
        self.placed = placed
        self.is_exclusive = exclusive
        self.wanted = placed.replicas
        self.is_stopped = not self.wanted
        self.members: list[Member] = []
        self.is_exchanging = False
        self._around = around
        self._changing = asyncio.Lock()
        self._awaited: list[Member] = []

    @property
    def name(self) -> str:
        """The group's."""
        return self.placed.name

    @property
    def endpoints(self) -> tuple[Endpoint, ...] | None:
        """Of those that are ready; None where nobody is about to be: it was stopped, or every replica is given up."""
        if self.is_stopped or self.is_hopeless:
            return None
        found = (member.serves for member in self.members)
        return tuple(endpoint for endpoint in found if endpoint is not None)

    @property
    def ready(self) -> int:
        """How many are."""
        return sum(member.state == "ready" for member in self.members)

    @property
    def is_decided(self) -> bool:
        """Whether each replica is ready, or given up."""
        return all(member.state in ("ready", "silent", "crashed") for member in self.members)

    @property
    def is_hopeless(self) -> bool:
        """Whether every replica is given up."""
        return bool(self.members) and all(member.state == "crashed" for member in self.members)

    def start(self) -> None:
        """Begin with the first set."""
        for _ in range(self.wanted):
            self._add()
        self._around.changed(self.name)

    def find(self, number: int) -> Member | None:
        """The one that is alive, or to be alive, under this number."""
        return next((member for member in self.members if member.number == number), None)

    async def scale(self, count: int) -> int:
        """Have so many. Returns how many were started or stopped. Raises: Unavailable when a new one fails."""
        async with self._change():
            self.wanted = count
            self.is_stopped = not count
            surplus = self.members[count:]
            added = [self._add() for _ in range(count - len(self.members))]
            await self._end(surplus)
            await self._settled(added)
            return len(surplus) + len(added)

    async def restart(self, *, blue_green: bool = False) -> int:
        """Exchange every replica: one by one, or a whole new set at once. Returns how many were exchanged.

        A group that was stopped has as many as before; one that was scaled to none stays so. Each old one drains when
        its successor is ready. Raises: Unavailable when a new one fails, ConfigurationError when it is refused; then
        those that are not exchanged yet stay.
        """
        async with self._change():
            self.is_exchanging = True
            try:
                return await self._restart(blue_green=blue_green)
            finally:
                self.is_exchanging = False

    async def _restart(self, *, blue_green: bool) -> int:
        old = list(self.members)
        count = len(old) or self.wanted
        self.is_stopped = not count
        if self.is_exclusive:
            await self._end(old)
            await self._settled([self._add() for _ in range(count)])
        elif blue_green or not old:
            await self._exchange(old, count, at_once=True)
        else:
            for member in old:
                await self._exchange([member], 1)
        self.wanted = count
        return count

    async def stop(self, grace: float | None = None) -> int:
        """End all, and have none until it is restarted or scaled."""
        async with self._change():
            members = list(self.members)
            self.is_stopped = True
            await self._end(members, grace)
            return len(members)

    def kill(self) -> None:
        """End all without waiting for anything."""
        for member in self.members:
            if member.child is not None:
                member.child.kill()

    @asynccontextmanager
    async def _change(self) -> AsyncIterator[None]:
        for member in self._awaited:
            member.give_up()
        async with self._changing:
            yield

    async def _exchange(self, old: Sequence[Member], count: int, *, at_once: bool = False) -> None:
        fresh = [self._add(held_back=at_once) for _ in range(count)]
        try:
            await self._settled(fresh)
        except RametError:
            await self._end(fresh)
            self.is_stopped = not self.members
            self._around.changed(self.name)
            raise
        self._switch(old, fresh)
        await self._end(old)

    def _switch(self, old: Iterable[Member], fresh: Iterable[Member]) -> None:
        """Send the calls to the new ones from one moment to the next."""
        for member in old:
            member.is_held_back = True
        for member in fresh:
            member.is_held_back = False
        self._around.changed(self.name)

    async def _settled(self, members: Iterable[Member]) -> None:
        self._awaited = list(members)
        for member in self._awaited:
            if not await member.settle():
                kind = ConfigurationError if member.was_refused else Unavailable
                raise kind(
                    f"The new replica {member.name} {member.error or GIVEN_UP}: `ramet logs {self.name}` says why; "
                    "those that are not exchanged are as they were."
                )

    async def _end(self, members: Sequence[Member], grace: float | None = None) -> None:
        await asyncio.gather(*(member.drain(grace) for member in members))
        self.members = [member for member in self.members if member not in members]
        self._around.changed(self.name)

    def _add(self, *, held_back: bool = False) -> Member:
        taken = {member.number for member in self.members}
        number = next(number for number in range(len(taken) + 1) if number not in taken)
        member = Member(self.name, number, self._around)
        member.is_held_back = held_back
        self.members.append(member)
        member.start()
        return member
