"""The supervisor of one deployment: its sockets, its groups, its order of starting and of draining."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec

from ramet.clock import Clock, SystemClock
from ramet.errors import ConfigurationError, NotFound
from ramet.identity.tokens import DAY_SECONDS, issuer_of
from ramet.model.topology import ASSIGNMENT, Assignment, Deployment
from ramet.runtime.discovery.messages import Hello
from ramet.runtime.engines import obstacle
from ramet.runtime.operators.control import Control
from ramet.runtime.operators.requests import Address
from ramet.runtime.orphans import PARENT
from ramet.runtime.planning import Placed, Placement
from ramet.runtime.sole import unusable
from ramet.runtime.supervisor.child import Child, Launch
from ramet.runtime.supervisor.counts import Past
from ramet.runtime.supervisor.folders import Folders
from ramet.runtime.supervisor.group_log import GroupLog, Show
from ramet.runtime.supervisor.hub import Hub
from ramet.runtime.supervisor.identities import Identities
from ramet.runtime.supervisor.keeper import Keeper
from ramet.runtime.supervisor.member import Around, Member
from ramet.runtime.supervisor.operations import SupervisorOperations
from ramet.runtime.supervisor.patience import Patience
from ramet.runtime.supervisor.release import fingerprint
from ramet.runtime.supervisor.requests import AskedOfSupervisor, EnginesUsed
from ramet.runtime.supervisor.zygotes import Loading, Zygotes
from ramet.tasks import Tasks
from ramet.transport.listening import listen_http, url_of

REPLICA = (sys.executable, "-m", "ramet", "replica")
ZYGOTE = (sys.executable, "-m", "ramet", "zygote")
STARTS_FOR_EACH_CORE = 2
LONGEST_STOP_SECONDS = 60.0
ENGINES_CHECKED_SECONDS = 0.5

log = logging.getLogger("ramet.supervisor")


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What is supervised: `command` runs a replica in `folder`; `show` shows its lines on the terminal.

    With `zygote`, the command of a process that loads the application once, replicas are forked from that one.
    `storage` and `broker` replace the engines of the configuration in every replica, "" for none. `grants` are the
    contracts that each group may call; without them the replicas have no identities. `written` says of each group where
    its public address is written. `late` are the groups whose work goes on after requests. Replicas' tokens live for
    `token_seconds`: for a day, so that a supervisor may be away for most of it.
    """

    application: str
    folder: Path
    deployment: Deployment
    placement: Placement
    show: Show
    command: Sequence[str] = REPLICA
    zygote: Sequence[str] = ()
    clock: Clock = field(default_factory=SystemClock)
    patience: Patience = field(default_factory=Patience)
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    storage: str = ""
    broker: str = ""
    grants: Mapping[str, frozenset[str]] | None = None
    written: Mapping[str, str] = field(default_factory=dict)
    late: frozenset[str] = frozenset()
    token_seconds: float = DAY_SECONDS


class Supervisor:
    """Runs a deployment of several processes from `start` to `stop`."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.clock = setup.clock
        self.folders = Folders(setup.folder / setup.deployment.data)
        self.tasks = Tasks()
        self.started_at = self.clock.monotonic()
        self.stopping = asyncio.Event()
        self._moved = asyncio.Event()
        self._hub = Hub(self.folders.supervisor, self._find)
        self._listeners: dict[str, socket.socket] = {}
        self._logs: dict[str, GroupLog] = {}
        self._identities: Identities | None = None
        self._zygotes = Zygotes(self._loading(), self.tasks.spawn) if setup.zygote else None
        self._serial = itertools.count(1)
        self._engines_seen = -ENGINES_CHECKED_SECONDS
        self._obstacle: str | None = None
        self.past = Past()
        cores = os.cpu_count() or 1
        self._around = Around(
            clock=self.clock,
            spawn=self.tasks.spawn,
            patience=setup.patience,
            launch=self._launch,
            changed=self._publish,
            obstacle=self._obstacle_now,
            starting=asyncio.Semaphore(max(2, STARTS_FOR_EACH_CORE * cores)),
            past=self.past,
        )
        self.keepers = {one.name: self._keeper(one) for one in setup.placement.groups}
        self._control = Control(self.folders.data, SupervisorOperations(self).answer, AskedOfSupervisor)

    async def start(self) -> None:
        """Begin to start every group. Raises: ConfigurationError; whatever was begun is undone."""
        await self._check_engines()
        try:
            self._prepare()
            await self._hub.start()
            await self._control.start()
        except BaseException:
            await self.stop()
            raise
        for keeper in self.keepers.values():
            keeper.start()
        self.tasks.spawn(self._look())
        if self._identities is not None:
            self.tasks.spawn(self._identities.keep())

    async def settled(self) -> list[Member]:
        """Wait until each replica is ready or has failed; those that have failed."""
        members = [member for keeper in self.keepers.values() for member in keeper.members]
        found = await asyncio.gather(*(member.settle() for member in members))
        return [member for member, is_ready in zip(members, found, strict=True) if not is_ready]

    async def decided(self) -> list[Member]:
        """Wait until each replica is ready or given up, or a whole group is given up; those that are given up."""
        while True:
            self._moved.clear()
            keepers = self.keepers.values()
            if any(one.is_hopeless for one in keepers) or all(one.is_decided for one in keepers):
                return [member for one in keepers for member in one.members if member.state == "crashed"]
            await self._moved.wait()

    async def stop(self) -> None:
        """Drain the groups, callers before those they call, and end; what takes too long is killed."""
        self.stopping.set()
        for listener in self._listeners.values():
            listener.close()
        try:
            async with asyncio.timeout(LONGEST_STOP_SECONDS):
                for wave in waves(self.setup.placement.groups):
                    await asyncio.gather(*(self.keepers[name].stop() for name in wave))
        except TimeoutError:
            self.kill()
        if self._zygotes is not None:
            await self._zygotes.close()
        await self._control.stop()
        await self._hub.stop()
        await self.tasks.stop()
        for one in self._logs.values():
            one.close()
        self.folders.clear()

    def kill(self) -> None:
        """End every replica at once."""
        for keeper in self.keepers.values():
            keeper.kill()

    def keeper(self, group: str) -> Keeper:
        """By its name. Raises: NotFound that names those there are."""
        found = self.keepers.get(group)
        if found is None:
            raise NotFound(f'There is no group "{group}"; there are {", ".join(self.keepers)}.')
        return found

    def url(self, group: str) -> str:
        """Where a public group is reached; "" where nothing of it is public."""
        listener = self._listeners.get(group)
        if listener is None or listener.fileno() < 0:
            return ""
        return url_of(listener)

    @property
    def names(self) -> tuple[str, str]:
        """Of the application and of the deployment."""
        return self.setup.application, self.setup.deployment.name

    @property
    def engines(self) -> EnginesUsed:
        """Where the servers are that the deployment works with."""
        setup, deployment = self.setup, self.setup.deployment
        return EnginesUsed(storage=setup.storage or deployment.storage, broker=setup.broker or deployment.broker)

    def addresses(self) -> list[Address]:
        """Where the public parts are, each with its group's address."""
        return [
            Address(name=name, url=self.url(keeper.name) + prefix)
            for keeper in self.keepers.values()
            for name, prefix in zip(keeper.placed.public, keeper.placed.prefixes, strict=False)
        ]

    def renew(self) -> None:
        """Whoever starts from now on is of what lies in the folder, and is installed, then."""
        if self._zygotes is not None:
            self._zygotes.renew()

    def end(self) -> None:
        """Let whoever waits for `stopping` begin to stop."""
        self.stopping.set()

    # -- the groups ----------------------------------------------------------------------------------------------

    def _keeper(self, placed: Placed) -> Keeper:
        keeps_files = self.setup.deployment.storage == "sqlite" and set(placed.services) > set(placed.public)
        has_port = placed.internal != "unix" and not placed.internal.endswith(":0")
        return Keeper(placed, self._around, exclusive=keeps_files or has_port)

    def _find(self, hello: Hello) -> Member | None:
        keeper = self.keepers.get(hello.group)
        member = keeper.find(hello.replica) if keeper is not None else None
        if member is None or (member.child is not None and member.child.pid != hello.pid):
            return None
        return member

    def _publish(self, group: str) -> None:
        self._hub.publish({group: self.keepers[group].endpoints})
        self._moved.set()

    async def _look(self) -> None:
        """Notice silence; where it was the supervisor that was held up, nobody is blamed."""
        look = self.setup.patience.look
        while True:
            before = self.clock.monotonic()
            await self.clock.sleep(look)
            held_up = self.clock.monotonic() - before > look + self.setup.patience.silent / 2
            for keeper in self.keepers.values():
                for member in keeper.members:
                    member.excuse() if held_up else member.look()

    # -- one replica ---------------------------------------------------------------------------------------------

    async def _launch(self, member: Member) -> Child:
        placed = self.keepers[member.group].placed
        member.version = fingerprint(self.setup.folder)
        assignment = self._assignment(member, placed)
        said = partial(self._logs[member.group].say, member.name)
        forked = await self._zygotes.fork(assignment, said) if self._zygotes is not None else None
        if forked is not None:
            return forked
        launch = Launch(
            command=self.setup.command,
            folder=self.setup.folder,
            environment={**self._environment, ASSIGNMENT: msgspec.json.encode(assignment).decode()},
            descriptors=() if assignment.listener is None else (assignment.listener,),
            said=said,
        )
        return await Child.spawn(launch, self.tasks.spawn)

    def _loading(self) -> Loading:
        setup = self.setup
        return Loading(
            command=setup.zygote,
            folder=setup.folder,
            environment=self._environment,
            said=log.debug,
            forking_seconds=setup.patience.forking,
        )

    @property
    def _environment(self) -> dict[str, str]:
        return {**self.setup.environment, PARENT: str(os.getpid()), "PYTHONUNBUFFERED": "1"}

    def _assignment(self, member: Member, placed: Placed) -> Assignment:
        listener = self._listeners.get(placed.name)
        internal, identities = placed.internal, self._identities
        if internal == "unix":
            internal = self.folders.internal(placed.name, member.number, next(self._serial))
        return Assignment(
            deployment=self.setup.deployment.name,
            group=placed.name,
            replica=member.number,
            hosts=placed.services,
            internal=internal,
            groups=self.setup.placement.hosts,
            supervisor=str(self.folders.supervisor),
            listener=listener.fileno() if listener is not None else None,
            url=self.url(placed.name),
            control=str(self.folders.control(placed.name, member.number)),
            token=str(identities.token(placed.name, member.number, placed.services)) if identities is not None else "",
            keys=str(identities.keys) if identities is not None else "",
            speaks_for_users=bool(placed.public),
            version=member.version,
            zone=placed.zone,
            storage=self.setup.storage,
            broker=self.setup.broker,
            replaces=self.keepers[placed.name].is_exchanging,
        )

    # -- what all of them need -----------------------------------------------------------------------------------

    def _prepare(self) -> None:
        try:
            self.folders.make()
        except OSError as error:
            raise unusable(self.folders.data, error) from error
        if self.setup.grants is not None:
            issuer = issuer_of(self.setup.application, self.setup.deployment.name)
            self._identities = Identities(
                self.folders.keys,
                issuer,
                self.setup.grants,
                self.clock,
                late=self.setup.late,
                lifetime_seconds=self.setup.token_seconds,
            )
        for name, keeper in self.keepers.items():
            self._logs[name] = GroupLog(self.folders.log(name), self.setup.show)
            if keeper.placed.listen is not None:
                self._listeners[name] = listen_http(keeper.placed.listen, self.setup.written.get(name, ""))

    async def _check_engines(self) -> None:
        if (found := await self._obstacle_now()) is not None:
            raise ConfigurationError(f"{found}.")

    async def _obstacle_now(self) -> str | None:
        """Which engine does not answer; asked at most twice a second, however many replicas want to start."""
        if self.clock.monotonic() - self._engines_seen >= ENGINES_CHECKED_SECONDS:
            self._engines_seen = self.clock.monotonic()
            found = [await obstacle(self.engines.storage), await obstacle(self.engines.broker)]
            self._obstacle = next((one for one in found if one is not None), None)
        return self._obstacle


def zygote_of(deployment: Deployment) -> Sequence[str]:
    """What loads a deployment's application once; nothing where replicas are spawned, as where a fork is unsafe."""
    return (*ZYGOTE, deployment.name) if deployment.preload and sys.platform.startswith("linux") else ()


def waves(groups: Sequence[Placed]) -> list[list[str]]:
    """In which order groups end: those that nobody calls any more first; a circle at once."""
    left = {group.name: group for group in groups}
    found: list[list[str]] = []
    while left:
        free = [name for name, group in left.items() if not set(group.called_by) & (set(left) - {name})]
        wave = free or list(left)
        found.append(wave)
        for name in wave:
            del left[name]
    return found
