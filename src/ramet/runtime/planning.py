"""Pure: which process group hosts what, whom it calls in the others, and everything that cannot be so."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Protocol

from ramet.contract.api import api_declaration
from ramet.contract.declared import Declared
from ramet.contract.places import Place, shown
from ramet.contract.problems import Problem
from ramet.model.application import Value
from ramet.model.topology import EVERYTHING, Deployment, Group
from ramet.runtime.toml import nearest

ALONE = "all"
"""The name of the one group of a deployment that names none."""
EVERYWHERE = frozenset({"", "0.0.0.0", "[::]"})  # noqa: S104 - compared with, not listened on
_PASSWORD = re.compile(r"(://[^/@:]*):[^@/]*@")


class Placed(Value):
    """A process group as it will run: `services` are everything it hosts, `public` the APIs and mounted applications.

    `prefixes` are the paths of those, `listen` the public address, None where nothing is public. `calls` are the
    contracts it calls in other groups, `outside` those it calls outside of the application, `called_by` the groups that
    call it.
    """

    name: str
    services: tuple[str, ...]
    replicas: int
    public: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    listen: str | None = None
    internal: str = "unix"
    isolated: bool = False
    zone: str = ""
    calls: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    called_by: tuple[str, ...] = ()


class Placement(Value):
    """What will run where; the engines' URLs are shown without passwords."""

    deployment: str
    storage: str
    broker: str
    groups: tuple[Placed, ...]

    @property
    def hosts(self) -> dict[str, tuple[str, ...]]:
        """What each group hosts."""
        return {group.name: group.services for group in self.groups}


BROKER_REMEDY = 'Set broker = "nats://…", "amqp://…" or "redis://…"'


def place(
    deployment: Deployment, declared: Declared, where: Callable[..., Place], *, broker_remedy: str = BROKER_REMEDY
) -> tuple[Placement, tuple[Problem, ...]]:
    """Where everything runs, and every mistake; `where` tells the file and line of a key of ramet.toml.

    `broker_remedy` is how a broker is named that carries events between processes.
    """
    planning = _Planning(deployment, declared, where, broker_remedy)
    placement = Placement(
        deployment=deployment.name,
        storage=masked(deployment.storage),
        broker=masked(deployment.broker),
        groups=tuple(planning.placed(group) for group in planning.groups),
    )
    return placement, tuple(sorted(set(planning.problems())))


class Change(Value):
    """What would be different in one group: it would `start`, `stop`, `scale`, `move` (host something else), `listen`
    (on another address) or `renew` (run another version), and why.
    """

    group: str
    what: str
    why: str


MOVES = frozenset({"start", "stop", "move"})
"""Changes of who is where, which exchanging replicas does not carry out."""


class Seen(Protocol):
    """A replica that runs."""

    @property
    def version(self) -> str:
        """The release it runs."""
        ...


class SeenGroup(Protocol):
    """A group as it runs."""

    @property
    def services(self) -> tuple[str, ...]:
        """What it hosts."""
        ...

    @property
    def listen(self) -> str | None:
        """Its public address."""
        ...

    @property
    def wanted(self) -> int:
        """How many replicas it should have."""
        ...

    @property
    def replicas(self) -> Sequence[Seen]:
        """Those it has."""
        ...


def changes(placement: Placement, running: Mapping[str, SeenGroup], version: str) -> list[Change]:
    """What a deployment that runs would have to change to be as placed, in this version."""
    found = []
    for group in placement.groups:
        seen = running.get(group.name)
        if seen is None:
            found.append(Change(group=group.name, what="start", why=f"{group.replicas} with {_list(group.services)}"))
        else:
            found += _changes(group, seen, version)
    placed = {group.name for group in placement.groups}
    gone = [name for name in running if name not in placed]
    return found + [Change(group=name, what="stop", why="is in the deployment no more") for name in gone]


def _changes(group: Placed, seen: SeenGroup, version: str) -> Iterator[Change]:
    comes, goes = set(group.services) - set(seen.services), set(seen.services) - set(group.services)
    if comes or goes:
        parts = [f"{_list(sorted(comes))} into it"] if comes else []
        parts += [f"{_list(sorted(goes))} out of it"] if goes else []
        yield Change(group=group.name, what="move", why=", ".join(parts))
    if None not in (group.listen, seen.listen) and group.listen != seen.listen:
        yield Change(group=group.name, what="listen", why=f"on {group.listen} instead of {seen.listen}")
    if group.replicas != seen.wanted:
        yield Change(group=group.name, what="scale", why=f"from {seen.wanted} to {group.replicas}")
    if others := sorted({one.version for one in seen.replicas} - {version}):
        yield Change(group=group.name, what="renew", why=f"from {_list(others)} to {version}")


def _list(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"


def masked(url: str) -> str:
    """A URL without its password."""
    return _PASSWORD.sub(r"\1:****@", url)


class _Planning:
    """One deployment of one application."""

    def __init__(
        self, deployment: Deployment, declared: Declared, where: Callable[..., Place], broker_remedy: str
    ) -> None:
        self._deployment = deployment
        self._broker_remedy = broker_remedy
        self._where = where
        self._declared = declared
        self._split = bool(deployment.groups)
        self.groups = deployment.groups or (Group(name=ALONE, services=(EVERYTHING,)),)
        self._prefixes = {api.name: api_declaration(api.cls).prefix for api in declared.apis}
        self._prefixes |= {mounted.name: mounted.prefix for mounted in declared.mounted}
        self._public = list(self._prefixes)
        self._names = [service.name for service in declared.services] + self._public
        named = [name for group in self.groups for name in group.services if name in self._names]
        self._count = Counter(named)
        rest = tuple(name for name in self._names if name not in named)
        self._hosts = {group.name: tuple(_hosted(group, self._names, rest)) for group in self.groups}
        self._group_of = {name: group for group, hosts in reversed(self._hosts.items()) for name in hosts}
        self._outside = {external.contract.name for external in declared.externals}
        self._rest = rest

    def placed(self, group: Group) -> Placed:
        """A group with what it hosts and whom it calls."""
        public = self._public_of(group)
        return Placed(
            name=group.name,
            services=self._hosts[group.name],
            replicas=group.replicas,
            public=public,
            prefixes=tuple(self._prefixes[name] for name in public),
            listen=(group.listen or self._deployment.listen) if public else None,
            internal=group.internal,
            isolated=group.isolated,
            zone=group.zone,
            calls=tuple(sorted({to for caller, to in self._calls if caller == group.name and to not in self._outside})),
            outside=tuple(sorted({to for caller, to in self._calls if caller == group.name and to in self._outside})),
            called_by=tuple(sorted({one for one, to in self._calls if self._group_of.get(to) == group.name})),
        )

    @cached_property
    def _calls(self) -> frozenset[tuple[str, str]]:
        """From which group which service of another group, or outside of the application, is called."""
        by_contract = {service.contract.cls: service.name for service in self._declared.services}
        by_contract |= {external.contract.cls: external.contract.name for external in self._declared.externals}
        found = {
            (self._group_of.get(name, ""), by_contract[cls])
            for name, needs in self._declared.needs()
            for cls in needs.contracts.values()
            if cls in by_contract
        }
        return frozenset((caller, to) for caller, to in found if caller and self._group_of.get(to) != caller)

    def _public_of(self, group: Group) -> tuple[str, ...]:
        return tuple(name for name in self._hosts[group.name] if name in self._public)

    # -- what cannot be so ---------------------------------------------------------------------------------------

    def problems(self) -> Iterator[Problem]:
        """Every mistake."""
        if self._split:
            yield from self._names_that_are_wrong()
            yield from self._isolation()
            yield from self._replicas()
            yield from self._events()
            yield from self._addresses()
        yield from self._neighbours()
        yield from self._policies()
        yield from self._contracts()

    def _contracts(self) -> Iterator[Problem]:
        path = self._deployment.contracts
        for name, prefix in self._prefixes.items() if path else ():
            if prefix.rstrip("/") == path:
                yield self._problem(f"{path} is where {name} answers.", "Choose another path.", "contracts")

    def _policies(self) -> Iterator[Problem]:
        """Policies of what nobody declares, and hedges of what has effects."""
        contracts = {contract.name: contract.methods for contract in self._declared.contracts}
        methods = {f"{name}.{one}": method for name, own in contracts.items() for one, method in own.items()}
        for name, policy in self._deployment.policies.items():
            if policy.hedging and name in methods and methods[name].is_command:
                message = f"{name} is a command: only queries are hedged, for they may be sent twice."
                yield self._problem(message, "Remove hedging.", "policy", name, "hedging")
            if name not in contracts and name not in methods:
                contract = name.partition(".")[0]
                near = nearest(
                    name, [one for one in methods if one.startswith(f"{contract}.")] or [*contracts, *methods]
                )
                hint = f'Did you mean "{near}"?' if near else f"The contracts are {', '.join(sorted(contracts))}."
                yield self._problem(f'There is no contract or method "{name}".', hint, "policy", name)

    def _names_that_are_wrong(self) -> Iterator[Problem]:
        for group in self.groups:
            for name in group.services:
                if name != EVERYTHING and name not in self._names:
                    yield self._unknown(name, "process", group.name, "services")
        for name, count in self._count.items():
            if count > 1:
                groups = [group.name for group in self.groups if name in group.services]
                message = f"{name} is in {_several(groups)}." if len(groups) > 1 else f"{name} is named twice."
                yield self._problem(message, "It runs in one group only.", "process", groups[-1], "services")
        takers = [group.name for group in self.groups if EVERYTHING in group.services]
        if len(takers) > 1:
            message, remedy = f'{_several(takers)} take "*".', "Only one group can have the rest."
            yield self._problem(message, remedy, "process", takers[-1], "services")
        if not takers and self._rest:
            message = f"{', '.join(self._rest)} {'is' if len(self._rest) == 1 else 'are'} in no group."
            yield self._problem(message, 'Name them in one, or give one group services = "*".', "process")
        for group in self.groups:
            if not self._hosts[group.name] and EVERYTHING in group.services:
                message = f'The group "{group.name}" is empty: all services are in other groups.'
                yield self._problem(message, "Remove it.", "process", group.name)

    def _isolation(self) -> Iterator[Problem]:
        for group in self.groups:
            if group.isolated and len(self._hosts[group.name]) > 1:
                message = f'"{group.name}" is isolated, and hosts {", ".join(self._hosts[group.name])}.'
                yield self._problem(message, "Leave one of them in it.", "process", group.name, "isolated")

    def _replicas(self) -> Iterator[Problem]:
        if self._deployment.storage != "sqlite":
            return
        services = {service.name for service in self._declared.services}
        for group in self.groups:
            if group.replicas > 1 and services & set(self._hosts[group.name]):
                yield self._problem(
                    f"{group.replicas} replicas of {group.name} cannot share SQLite files, which one process opens.",
                    'Set storage = "postgresql://…", or replicas = 1.',
                    *("process", group.name, "replicas"),
                )

    def _events(self) -> Iterator[Problem]:
        if self._deployment.broker != "memory":
            return
        remedy = self._broker_remedy
        replicas = {group.name: group.replicas for group in self.groups}
        for service in self._declared.services:
            for topic in sorted({self._declared.topic_of(handler.mark.event) for handler in service.handlers}):
                publisher = self._group_of.get(topic.rpartition(".")[0])
                group = self._group_of.get(service.name)
                if publisher and group and publisher != group:
                    message = f"{topic} goes from {publisher} to {service.name} in {group}: the memory broker cannot."
                    yield self._problem(message, f"{remedy}, or keep them together.", "broker")
                elif group and replicas[group] > 1:
                    message = f"{service.name} handles {topic} in {replicas[group]} replicas: the memory broker cannot."
                    yield self._problem(message, f"{remedy}, or replicas = 1.", "broker")

    def _addresses(self) -> Iterator[Problem]:
        public = [group for group in self.groups if self._public_of(group)]
        without = [group.name for group in public if group.listen is None]
        if len(without) > 1:
            message = f"{_several(without)} have public parts, and one address: {self._deployment.listen}."
            remedy = 'Give all but one a listen = "HOST:PORT" of its own, or put them together.'
            yield self._problem(message, remedy, "process", without[-1])
        yield from self._clashes()
        for group in self.groups:
            if group.listen is not None and not self._public_of(group) and self._hosts[group.name]:
                message = f'"{group.name}" has a public address, and no API or mounted application.'
                yield self._problem(message, "Remove listen.", "process", group.name, "listen")

    def _clashes(self) -> Iterator[Problem]:
        """Two groups that want the same port of the same host; one address without a `listen` is told elsewhere."""
        taken: list[tuple[Group, str, str]] = []
        for group in self.groups:
            wanted = [("internal", group.internal.partition("://")[2])]
            if self._public_of(group):
                wanted.insert(0, ("listen", group.listen or self._deployment.listen))
            for key, address in wanted:
                for other, how, there in taken:
                    without = key == how == "listen" and group.listen is other.listen is None
                    if _meet(there, address) and not without:
                        message = f"{other.name} and {group.name} both listen on port {address.rpartition(':')[2]}."
                        yield self._problem(message, "Choose another for one of them.", "process", group.name, key)
                taken.append((group, key, address))

    def _neighbours(self) -> Iterator[Problem]:
        together, apart = self._deployment.together, self._deployment.apart
        for both in sorted({tuple(sorted({*one} & {*other})) for one in together for other in apart}):
            if len(both) > 1:
                message = f"{' and '.join(both)} must be together, and must be apart."
                yield self._problem(message, "Leave one of the two out.", "apart")
        for key, sets in (("together", together), ("apart", apart)):
            for names in sets:
                unknown = [name for name in names if name not in self._names]
                for name in unknown:
                    yield self._unknown(name, key)
                if not unknown:
                    yield from self._neighbourhood(key, names)

    def _neighbourhood(self, key: str, names: Sequence[str]) -> Iterator[Problem]:
        at = {name: self._group_of.get(name) for name in names}
        groups = Counter(group for group in at.values() if group is not None)
        if key == "together" and len(groups) > 1:
            places = ", ".join(f"{name} in {group}" for name, group in at.items())
            yield self._problem(f"{' and '.join(names)} must be together: {places}.", "Put them in one group.", key)
        for group, count in groups.items():
            if key == "apart" and count > 1:
                both = " and ".join(name for name in names if at[name] == group)
                yield self._problem(f"{both} must be apart, and are in {group}.", "Put them in different groups.", key)

    def _unknown(self, name: str, *keys: str) -> Problem:
        close = nearest(name, self._names)
        hint = f'Did you mean "{close}"?' if close else f"There are {', '.join(self._names) or 'none'}."
        return self._problem(f'There is no service, API or mounted application "{name}".', hint, *keys)

    def _problem(self, message: str, remedy: str, *keys: str) -> Problem:
        file, line = self._where("deployment", self._deployment.name, *keys)
        return Problem(file=shown(file), line=line, message=message, remedy=remedy)


def _hosted(group: Group, names: Sequence[str], rest: Sequence[str]) -> Iterator[str]:
    """In the order of the declaration, so that it is the same however the file is written."""
    for name in names:
        if name in group.services or (EVERYTHING in group.services and name in rest):
            yield name


def _several(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _meet(one: str, other: str) -> bool:
    """Whether two addresses are the same port of the same host; a host that is not named is every host."""
    (host, _, port), (there, _, same) = one.rpartition(":"), other.rpartition(":")
    return port == same and port not in ("", "0") and (host == there or bool({host, there} & EVERYWHERE))
