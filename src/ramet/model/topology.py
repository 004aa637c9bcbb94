"""Pure: where an application runs, as frozen values."""

from __future__ import annotations

import msgspec

from ramet.model.application import Value
from ramet.model.policies import Budgets, Http, Policy

EVERYTHING = "*"
STARTUP_SECONDS = 60.0


class Group(Value):
    """A process group: these services, APIs and mounted applications together in one process, `replicas` times.

    `services` are names, or "*" for all that no other group has. `listen` is the group's own public address, where it
    is not the deployment's gateway; `internal` where its replicas answer calls of others: a Unix socket by default,
    "tcp://host:port" or "tls://host:port" for several hosts (port 0: any). `isolated`: nobody else may be in it.
    """

    name: str
    services: tuple[str, ...]
    replicas: int = 1
    listen: str | None = None
    internal: str = "unix"
    isolated: bool = False
    zone: str = ""


class Deployment(Value):
    """One way to run the application.

    `data` is the folder of the embedded databases; `listen` the address of the public APIs; `durability` is "full"
    (an answer is given when its data is on the disk), "normal" (the last moments may be lost when the machine loses
    power, not when the process is killed) or "off" (for tests). In `strict` mode calls inside the process are encoded
    and decoded as if they travelled.

    `contracts` is the path of the public address below which every contract answers JSON over HTTP, for callers in
    other languages; "" for nowhere.

    `policy` says how calls are treated, `policies` the same of a contract or of "contract.method", `budgets` what all
    calls to a process group share; `http` is for the public APIs.

    `storage` is "sqlite" or the URL of a PostgreSQL server, on which every service has a schema and a role of its own;
    `broker` is "memory" or the URL of NATS, RabbitMQ or Redis, or of a broker of one's own, whose class `broker_class`
    names as "module:Class". Without `groups` everything is one process. `together`
    and `apart` are sets of services that every placement must keep in one process, or in different ones. `preload`: on
    Linux the application is loaded once, and the replicas are forked from that. `startup_seconds` is the
    time of each `startup()`.
    """

    name: str = "local"
    data: str = ".ramet/local"
    listen: str = "127.0.0.1:8000"
    durability: str = "full"
    strict: bool = False
    cors_origins: tuple[str, ...] = ()
    contracts: str = ""
    storage: str = "sqlite"
    broker: str = "memory"
    broker_class: str = ""
    groups: tuple[Group, ...] = ()
    together: tuple[tuple[str, ...], ...] = ()
    apart: tuple[tuple[str, ...], ...] = ()
    policy: Policy = Policy()
    policies: dict[str, Policy] = msgspec.field(default_factory=dict)
    budgets: Budgets = Budgets()
    http: Http = Http()
    preload: bool = True
    startup_seconds: float = STARTUP_SECONDS


class Assignment(Value):
    """What the supervisor tells one replica, as JSON in the environment: who it is, and how it finds the others.

    `hosts` are the names of its services, APIs and mounted applications; `groups` says of every group of the deployment
    which of them it hosts, so that a caller finds the group that answers. `supervisor` is the Unix socket where it
    registers and hears of endpoints; without one, `names` are the groups' names in DNS, each "host:port", by default
    the group's own name with the port of its `internal` address in the configuration. `internal` is the address it
    answers calls on; `listener` the inherited file descriptor of the public socket, if it has public parts, and `url`
    what that is reached by. `control` is the folder for the socket on which it answers operators. `token` is the file
    with its signed identity, `keys` the file with the keys that others' tokens are verified by ("" each: unprotected);
    in the folder `callers` beside it are the keys that users are verified by and, where this replica has public parts
    (`speaks_for_users`), the one that they are signed with. `storage` and `broker` are the engines where they are not
    those of the configuration. `replaces`: it starts to take the place of replicas that run and will end.
    """

    deployment: str
    group: str
    replica: int
    hosts: tuple[str, ...]
    internal: str
    groups: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    supervisor: str = ""
    names: dict[str, str] = msgspec.field(default_factory=dict)
    listener: int | None = None
    url: str = ""
    control: str = ""
    token: str = ""
    keys: str = ""
    speaks_for_users: bool = False
    version: str = ""
    zone: str = ""
    storage: str = ""
    broker: str = ""
    replaces: bool = False

    @property
    def who(self) -> str:
        """What operators call the replica: "edge/0"."""
        return f"{self.group}/{self.replica}"

    def group_of(self, name: str) -> str | None:
        """The group that hosts a service, API or mounted application."""
        return next((group for group, hosts in self.groups.items() if name in hosts), None)


ASSIGNMENT = "RAMET_ASSIGNMENT"
"""The environment variable that holds a replica's assignment."""
