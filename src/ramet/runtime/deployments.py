"""Pure: the deployments of ramet.toml as values: extended by one another, checked, their process groups read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import asdict

from ramet.model.policies import Budgets, Http, Policy
from ramet.model.topology import EVERYTHING, Deployment, Group
from ramet.runtime.toml import Keys, Lines, Mistakes, nearest

DURABILITY = ("full", "normal", "off")
STORAGES = ("postgresql", "postgres")
BROKERS = ("nats", "tls", "amqp", "amqps", "redis", "rediss")
STORAGE_IS = 'storage is "sqlite", a URL of PostgreSQL ("postgresql://localhost:5432"), or "env:NAME"'
BROKER_IS = (
    'broker is "memory", a URL of NATS ("nats://localhost:4222"), RabbitMQ ("amqp://localhost:5672") or '
    'Redis ("redis://localhost:6379"), or "env:NAME"'
)
BROKER_OF_OWN_IS = 'beside broker_class, broker is the URL that the class is given, or "env:NAME"'
REFERENCES = ("env:", "file:")
LARGEST_PORT = 65535
LONGEST_STARTUP_SECONDS = 86400.0
_ADDRESS = re.compile(r"(?:[^\s:\[\]]*|\[[0-9a-fA-F:.]+\]):(\d{1,5})")
_CLASS = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_DEPLOYMENT = re.compile(r"[^\W_][\w.-]{0,39}")
_ORIGIN = re.compile(r"\*|null|[a-z][a-z0-9+.-]*://[^\s/?#@]+")
LOCAL = "local"
CALLS, SHARED = Policy.__struct_fields__, Budgets.__struct_fields__
"""The keys of a policy that each call has of its own, and those that all share."""
DEFAULT, DEFAULT_GROUP = Deployment(), Group(name="", services=())

Raw = dict[str, Any]
SettingsTable = dict[str, dict[str, Any]]
Count = Annotated[int, msgspec.Meta(ge=1, le=1000)]


class _GatewayTable(msgspec.Struct):
    listen: str


class _GroupTable(msgspec.Struct):
    services: tuple[str, ...] | str
    replicas: Count = DEFAULT_GROUP.replicas
    listen: str | None = DEFAULT_GROUP.listen
    internal: str = DEFAULT_GROUP.internal
    isolated: bool = DEFAULT_GROUP.isolated
    zone: str = DEFAULT_GROUP.zone


class _DeploymentTable(msgspec.Struct):
    data: str | None = None
    listen: str | None = None
    gateway: _GatewayTable | None = None
    durability: str = DEFAULT.durability
    strict: bool = DEFAULT.strict
    cors_origins: tuple[str, ...] = DEFAULT.cors_origins
    contracts: str = DEFAULT.contracts
    storage: str = DEFAULT.storage
    broker: str = DEFAULT.broker
    broker_class: str = DEFAULT.broker_class
    together: tuple[tuple[str, ...], ...] = DEFAULT.together
    apart: tuple[tuple[str, ...], ...] = DEFAULT.apart
    preload: bool = DEFAULT.preload
    startup_seconds: float = DEFAULT.startup_seconds
    extends: str | None = None
    process: dict[str, Any] = msgspec.field(default_factory=dict)
    settings: dict[str, Any] = msgspec.field(default_factory=dict)
    policy: Any = msgspec.field(default_factory=dict)
    http: Any = msgspec.field(default_factory=dict)


class Origins:
    """The tables of all deployments, and where each part of them is written: some of it in those they extend."""

    def __init__(self, value: Any, lines: Lines) -> None:
        tables = value if isinstance(value, dict) else {}
        self.tables: dict[str, Raw] = {name: table for name, table in tables.items() if isinstance(table, dict)}
        self._lines = lines

    def written(self, *keys: str) -> Keys:
        """Where something of a deployment is written: in its own table, or in the one that it extends."""
        if len(keys) < 2 or keys[0] != "deployment":
            return keys
        chain = list(self.chain(keys[1])) or [keys[1]]
        for count in range(len(keys), 2, -1):
            for name in chain:
                if self._lines.has("deployment", name, *keys[2:count]):
                    return ("deployment", name, *keys[2:])
        return ("deployment", keys[1])

    def line(self, *keys: str) -> int:
        """The line on which it is written."""
        return self._lines.of(*self.written(*keys))

    def chain(self, name: str) -> Iterator[str]:
        """The deployment and those that it extends, the nearest first."""
        seen: list[str] = []
        while isinstance(name, str) and name in self.tables and name not in seen:
            seen.append(name)
            yield name
            name = self.tables[name].get("extends", "")

    def merged(self, name: str) -> Raw:
        """A deployment's table, laid on those that it extends."""
        merged: Raw = {}
        for one in reversed(list(self.chain(name))):
            merged = _overlaid(merged, self.tables[one])
        return merged


class Deployments:
    """Reads `[deployment]`; what is wrong is added to the mistakes."""

    def __init__(self, origins: Origins, mistakes: Mistakes) -> None:
        self._tables = origins.tables
        self._origins = origins
        self._mistakes = mistakes

    def all(self) -> dict[str, Deployment]:
        """By name; `local` is always there."""
        found = {LOCAL: DEFAULT}
        for name in self._tables:
            if (deployment := self._deployment(name)) is not None:
                found[name] = deployment
        return found

    def settings(self) -> dict[str, SettingsTable]:
        """The tables of settings that a deployment has of its own, by its name."""
        found: dict[str, SettingsTable] = {}
        for name in self._tables:
            settings = self._origins.merged(name).get("settings", {})
            if isinstance(settings, dict):
                found[name] = {service: table for service, table in settings.items() if isinstance(table, dict)}
        return found

    def _deployment(self, name: str) -> Deployment | None:
        own: Keys = ("deployment", name)
        self._mistakes.known(own, self._tables[name], _DeploymentTable.__struct_fields__)
        if not _DEPLOYMENT.fullmatch(name):
            message = f'"{name}" is no name of a deployment: letters, digits, "-", "_" and ".", at most 40 of them.'
            self._mistakes.add(own, message)
        self._check_base(name)
        merged = self._origins.merged(name)
        if isinstance(gateway := merged.get("gateway"), dict):
            self._mistakes.known((*own, "gateway"), gateway, _GatewayTable.__struct_fields__)
        table = self._mistakes.convert(own, merged, _DeploymentTable)
        groups = tuple(self._groups(name, merged.get("process", {})))
        self._mistakes.tables((*own, "settings"), merged.get("settings", {}))
        policies = self._policies((*own, "policy"), merged.get("policy", {}))
        http = self._http((*own, "http"), merged.get("http", {}))
        if table is None:
            return None
        self._check(own, table)
        given = {key: value for key, value in asdict(table).items() if key in Deployment.__struct_fields__}
        given |= {
            "name": name,
            "data": f".ramet/{name}" if table.data is None else table.data,
            "listen": self._listen(own, table),
            "contracts": table.contracts.rstrip("/"),
            "groups": groups,
            "http": http,
            **policies,
        }
        return Deployment(**given)

    def _policies(self, at: Keys, raw: Any) -> dict[str, Any]:
        """`[deployment.NAME.policy]`, and the tables in it that are named for contracts and methods."""
        mistakes = self._mistakes
        if not isinstance(raw, dict):
            mistakes.add(at, f'[{".".join(at)}] is a table, such as `attempts = 2` or ["inventory.stock"].')
            return {"policy": Policy()}
        tables = {name: table for name, table in raw.items() if isinstance(table, dict)}
        inner = {name: table for name, table in tables.items() if name not in (*CALLS, *SHARED)}
        outer = {name: value for name, value in raw.items() if name not in inner}
        mistakes.known(at, outer, (*CALLS, *SHARED))
        policies = {name: self._policy((*at, name), table) for name, table in inner.items()}
        policy, budgets = mistakes.convert(at, outer, Policy), mistakes.convert(at, outer, Budgets)
        return {"policy": policy or Policy(), "policies": policies, "budgets": budgets or Budgets()}

    def _policy(self, at: Keys, table: Raw) -> Policy:
        *outer, own = at
        for name, value in table.items():
            if isinstance(value, dict):
                message = f'a method is named in quotes: [{".".join(outer)}."{own}.{name}"].'
                self._mistakes.add((*at, name), message)
            elif name in SHARED:
                message = f"{name} is shared by all calls: it belongs into [{'.'.join(outer)}]."
                self._mistakes.add((*at, name), message)
        rest = {name: value for name, value in table.items() if not isinstance(value, dict) and name not in SHARED}
        return self._mistakes.read(at, rest, Policy) or Policy()

    def _http(self, at: Keys, raw: Any) -> Http:
        if not isinstance(raw, dict):
            self._mistakes.add(at, f"[{'.'.join(at)}] is a table, such as `max_body_bytes = 65536`.")
            return Http()
        return self._mistakes.read(at, raw, Http) or Http()

    def _check_base(self, name: str) -> None:
        base = self._tables[name].get("extends")
        keys = ("deployment", name, "extends")
        if base is None or not isinstance(base, str):
            return
        if base not in self._tables:
            close = nearest(base, self._tables)
            known = ", ".join(other for other in self._tables if other != name) or "no other"
            hint = f'did you mean "{close}"?' if close else f"there is {known}."
            self._mistakes.add(keys, f"there is no [deployment.{base}] to extend; {hint}")
        elif name in list(self._origins.chain(base)):
            self._mistakes.add(keys, f'"{name}" extends itself, through "{base}": leave one of them out.')

    def _check(self, own: Keys, table: _DeploymentTable) -> None:
        wrong = self._wrong
        if table.data is not None and (not table.data or "\0" in table.data):
            wrong(own, "data", 'data is the folder of the databases, such as ".ramet/local".')
        if table.durability not in DURABILITY:
            wrong(own, "durability", f'durability is "full", "normal" or "off", not "{table.durability}".')
        self._check_engines(own, table)
        if not 0 < table.startup_seconds <= LONGEST_STARTUP_SECONDS:
            longest = f"{LONGEST_STARTUP_SECONDS:g}"
            wrong(own, "startup_seconds", f"startup_seconds is more than 0, and at most {longest} (a day).")
        for origin in table.cors_origins:
            if not _ORIGIN.fullmatch(origin.lower()):
                wrong(
                    own, "cors_origins", f'an origin is such as "https://shop.example", without a path, not "{origin}".'
                )
        if table.contracts and not re.fullmatch(r"(/[^/\s]+)+/?", table.contracts):
            wrong(own, "contracts", f'contracts is a path such as "/contracts", not "{table.contracts}".')
        if table.listen is not None and table.gateway is not None:
            wrong(own, "gateway", "gateway and listen both say where the public address is: keep one of them.")

    def _check_engines(self, own: Keys, table: _DeploymentTable) -> None:
        wrong = self._wrong
        if not is_storage(table.storage) or misplaced(table.storage):
            wrong(own, "storage", f"{misplaced(table.storage) or STORAGE_IS}.")
        if not is_broker(table.broker, table.broker_class) or misplaced(table.broker):
            broker_is = BROKER_OF_OWN_IS if table.broker_class else BROKER_IS
            wrong(own, "broker", f"{misplaced(table.broker) or broker_is}.")
        if table.broker_class and not _CLASS.fullmatch(table.broker_class):
            wrong(own, "broker_class", f'broker_class is "module:Class", not "{table.broker_class}".')

    def _listen(self, own: Keys, table: _DeploymentTable) -> str:
        key = "listen" if table.gateway is None else "gateway"
        listen = table.listen if table.gateway is None else table.gateway.listen
        if listen is None:
            return DEFAULT.listen
        self._check_address((*own, key), "listen", listen)
        return listen

    def _check_address(self, keys: Keys, what: str, address: str) -> None:
        found = _ADDRESS.fullmatch(address)
        if found is None or int(found[1]) > LARGEST_PORT:
            message = f'{what} is an address such as "127.0.0.1:8000", not "{address}".'
            self._mistakes.add(keys, message)

    def _groups(self, deployment: str, tables: Any) -> Iterator[Group]:
        own: Keys = ("deployment", deployment, "process")
        for name, raw in self._mistakes.tables(own, tables).items():
            at = self._origins.written(*own, name)
            if not _NAME.fullmatch(name):
                self._mistakes.add(
                    at, f'"{name}" is no name of a group: small letters, digits, "-" and "_", at most 40 of them.'
                )
                continue
            table = self._mistakes.read(at, raw, _GroupTable)
            if table is not None:
                yield self._group(at, name, table)

    def _group(self, at: Keys, name: str, table: _GroupTable) -> Group:
        services = (table.services,) if isinstance(table.services, str) else table.services
        if isinstance(table.services, str) and table.services != EVERYTHING:
            self._wrong(at, "services", f'services is a list of names, or "*"; write ["{table.services}"].')
        if not services:
            self._wrong(at, "services", f'the group "{name}" is empty: name its services, or remove it.')
        if table.isolated and (len(services) > 1 or EVERYTHING in services):
            self._wrong(at, "isolated", f'"{name}" is isolated, so it names exactly one service.')
        if table.listen is not None:
            self._check_address((*at, "listen"), "listen", table.listen)
        self._check_internal(at, table)
        given: Raw = {**asdict(table), "name": name, "services": services}
        return Group(**given)

    def _check_internal(self, at: Keys, table: _GroupTable) -> None:
        scheme, _, address = table.internal.partition("://")
        if table.internal == "unix":
            return
        found = _ADDRESS.fullmatch(address)
        if scheme not in ("tcp", "tls") or found is None or int(found[1]) > LARGEST_PORT:
            self._wrong(
                at, "internal", f'internal is "unix", "tcp://HOST:PORT" or "tls://HOST:PORT", not "{table.internal}".'
            )
        elif table.replicas > 1 and int(found[1]):
            message = (
                f"{table.replicas} replicas cannot have the one port {found[1]}: write port 0, each is given its own."
            )
            self._wrong(at, "internal", message)

    def _wrong(self, own: Keys, key: str, message: str) -> None:
        self._mistakes.add((*own, key), message)


def is_storage(value: str) -> bool:
    """Whether it is "sqlite", a URL of PostgreSQL, or a reference to one."""
    return value == "sqlite" or value.startswith(REFERENCES) or _scheme(value) in STORAGES


def is_broker(value: str, broker_class: str = "") -> bool:
    """Whether it is "memory", a URL of a broker there is, or a reference to one; of a class of one's own any URL."""
    if broker_class:
        return value.startswith(REFERENCES) or bool(_scheme(value))
    return value == "memory" or value.startswith(REFERENCES) or _scheme(value) in BROKERS


def misplaced(value: str) -> str:
    """What is wrong with the places of a URL, or of several between commas; shows nothing of it, for its password."""
    for one in () if value.startswith(REFERENCES) else value.split(","):
        try:
            if urlsplit(one).port == 0:
                raise ValueError
        except ValueError:
            return (
                f"the port of the URL is no number from 1 to {LARGEST_PORT}, or special characters of its password are "
                "not written as %23 and the like"
            )
    return ""


def _scheme(url: str) -> str:
    scheme, separator, _ = url.partition("://")
    return scheme if separator else ""


def _overlaid(below: Raw, above: Raw) -> Raw:
    """One table on another: what both have comes from above, and inner tables are laid on each other."""
    merged = dict(below)
    for key, value in above.items():
        inner = merged.get(key)
        merged[key] = _overlaid(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    for one, other in (("listen", "gateway"), ("gateway", "listen")):  # both say where the public address is
        if one in above and other not in above:
            merged.pop(other, None)
    return merged
