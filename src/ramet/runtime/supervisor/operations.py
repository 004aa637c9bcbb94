"""What operators can do with a supervised deployment: see its groups and services, scale, restart and stop them."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from ramet.clock import Clock
from ramet.contract.api import kebab
from ramet.errors import ConfigurationError, Unavailable, UsageError
from ramet.runtime.operators.requests import (
    Address,
    Answer,
    Call,
    Counts,
    GetStatus,
    GroupStatus,
    ReplicaStatus,
    ServiceSaga,
    Status,
)
from ramet.runtime.supervisor.asking import ReplicaOperations
from ramet.runtime.supervisor.counts import Past, whole
from ramet.runtime.supervisor.folders import Folders
from ramet.runtime.supervisor.keeper import Keeper
from ramet.runtime.supervisor.member import Member
from ramet.runtime.supervisor.requests import (
    EnginesUsed,
    GetEngines,
    GroupsChanged,
    RestartGroups,
    ScaleGroup,
    StopAll,
    StopGroup,
)

MOST_REPLICAS = 1000


class Supervised(Protocol):
    """The supervisor, as operators see it."""

    @property
    def names(self) -> tuple[str, str]:
        """Of the application and of the deployment."""
        ...

    @property
    def engines(self) -> EnginesUsed:
        """Where its servers are."""
        ...

    keepers: dict[str, Keeper]
    folders: Folders
    clock: Clock
    started_at: float
    past: Past

    def keeper(self, group: str) -> Keeper:
        """Raises: NotFound."""
        ...

    def addresses(self) -> Sequence[Address]:
        """Where the public parts are."""
        ...

    def renew(self) -> None:
        """Load the application anew for whoever starts from now on."""
        ...

    def end(self) -> None:
        """Begin to stop."""
        ...


class SupervisorOperations:
    """Answers requests; what is about services is passed on to the replicas."""

    def __init__(self, supervised: Supervised) -> None:
        self._supervised = supervised
        self._replicas = ReplicaOperations(self._reach, self._hosts)
        self._answers: Mapping[type[Any], Callable[[Any], Awaitable[Answer]]] = {
            GetStatus: self.status,
            ScaleGroup: self.scale,
            RestartGroups: self.restart,
            StopGroup: self.stop_group,
            StopAll: self.stop,
            GetEngines: self.engines,
            Call: self.call,
        }

    async def answer(self, request: Any) -> Answer:
        """Raises: NotFound, UsageError, Unavailable; what a replica raises."""
        return await self._answers.get(type(request), self._replicas.answer)(request)

    async def status(self, _: GetStatus) -> Status:
        """The groups with their replicas, and the services summed up over those."""
        supervised = self._supervised
        application, deployment = supervised.names
        seen = self._seen(await self._replicas.told())
        return Status(
            application=application,
            deployment=deployment,
            running=True,
            pid=os.getpid(),
            uptime_seconds=supervised.clock.monotonic() - supervised.started_at,
            addresses=tuple(supervised.addresses()),
            services=seen.services,
            groups=tuple(_group(keeper) for keeper in supervised.keepers.values()),
            traffic=seen.traffic,
            externals=seen.externals,
        )

    async def engines(self, _: GetEngines) -> EnginesUsed:
        """Those that the replicas are given."""
        return self._supervised.engines

    def _seen(self, told: Sequence[Status]) -> Counts:
        """What those who answer tell, beside what those who do not have told before, and who ended had counted."""
        answers, living, silent = {one.pid: one for one in told}, [], [self._supervised.past.counts]
        for keeper in self._supervised.keepers.values():
            for member in keeper.members:
                pid = member.child.pid if member.child is not None and member.child.is_alive else None
                if pid in answers:
                    member.counts = answers[pid]
                    living.append(answers[pid])
                else:
                    silent.append(member.counts)
        return whole(living, silent)

    async def scale(self, request: ScaleGroup) -> GroupsChanged:
        """Raises: UsageError where the group cannot have so many."""
        keeper = self._supervised.keeper(request.group)
        if not 0 <= request.replicas <= MOST_REPLICAS:
            raise UsageError(f"A group has 0 to {MOST_REPLICAS} replicas.")
        if request.replicas > 1 and keeper.is_exclusive:
            raise UsageError(
                f"{request.group} cannot have two replicas: its SQLite files, or its port, belong to one process."
            )
        return GroupsChanged(groups={request.group: await keeper.scale(request.replicas)})

    async def restart(self, request: RestartGroups) -> GroupsChanged:
        """One group after the other. Raises: ConfigurationError where the new release is refused, or strands sagas."""
        self._supervised.renew()
        groups = [request.group] if request.group is not None else list(self._supervised.keepers)
        keepers = [self._supervised.keeper(group) for group in groups]
        changed: dict[str, int] = {}
        for keeper in keepers:
            changed[keeper.name] = await keeper.restart(blue_green=request.blue_green)
            if stranded := await self._replicas.stranded(keeper.name):
                raise _stranding(keeper.name, stranded)
        return GroupsChanged(groups=changed)

    async def stop_group(self, request: StopGroup) -> GroupsChanged:
        """Until it is restarted."""
        return GroupsChanged(groups={request.group: await self._supervised.keeper(request.group).stop()})

    async def call(self, request: Call) -> Answer:
        """By the replicas. Raises: Unavailable where the group that would answer has been stopped."""
        for keeper in self._supervised.keepers.values():
            if kebab(request.contract) in keeper.placed.services and not keeper.members:
                again = f"`ramet restart {keeper.name}`" if keeper.wanted else f"`ramet scale {keeper.name} 1`"
                raise Unavailable(
                    f"{request.contract} is in the group {keeper.name}, which is stopped: {again} starts it."
                )
        return await self._replicas.answer(request)

    async def stop(self, _: StopAll) -> GroupsChanged:
        """The answer is given before the end, so that it arrives."""
        counts = {name: len(keeper.members) for name, keeper in self._supervised.keepers.items()}
        self._supervised.end()
        return GroupsChanged(groups=counts)

    def _reach(self) -> dict[str, list[Path]]:
        folders = self._supervised.folders
        return {
            name: [folders.control(name, member.number) for member in keeper.members if member.state == "ready"]
            for name, keeper in self._supervised.keepers.items()
        }

    def _hosts(self, group: str) -> tuple[str, ...]:
        return self._supervised.keepers[group].placed.services


def _stranding(group: str, sagas: Sequence[ServiceSaga]) -> ConfigurationError:
    first = sagas[0].saga
    return ConfigurationError(
        f"The replicas of {group} were exchanged, and strand {len(sagas)} of the sagas that went on meanwhile, such as "
        f"{first.name} {first.key} ({first.id}), at {first.at}: {first.error}. `ramet sagas list --status stranded` "
        f"shows them; put that release back, and `ramet restart {group}`."
    )


def _group(keeper: Keeper) -> GroupStatus:
    return GroupStatus(
        name=keeper.name,
        services=keeper.placed.services,
        wanted=keeper.wanted,
        ready=keeper.ready,
        listen=keeper.placed.listen,
        replicas=tuple(_replica(member) for member in sorted(keeper.members, key=lambda one: one.number)),
    )


def _replica(member: Member) -> ReplicaStatus:
    alive = member.child is not None and member.child.is_alive
    return ReplicaStatus(
        number=member.number,
        state=member.state,
        since=member.since,
        pid=member.child.pid if member.child is not None and alive else None,
        restarts=member.restarts,
        version=member.version,
        address=member.endpoint.address if member.endpoint is not None else "",
        error=member.error,
        ended=member.ended,
        ended_at=member.ended_at,
    )
