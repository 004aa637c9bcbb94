"""Pure: what an application is, as frozen values; everything else is derived from them."""

from __future__ import annotations

from typing import Any, Literal, dataclass_transform

import msgspec

from ramet.settings import ValueType

Schema = dict[str, Any]
"""A JSON Schema (2020-12); references point into `Application.schemas`."""


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Value(msgspec.Struct, metaclass=ValueType, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The base of the model: immutable, compared by value."""


class Source(Value):
    """Where something is declared; `file` is relative to the folder that it is imported from."""

    file: str
    line: int


class Parameter(Value):
    """One parameter of a contract's method; its default is in the schema."""

    name: str
    schema: Schema
    required: bool = True
    named: bool = False
    """It can be given by name only."""


class RefusalKind(Value):
    """A typed "no": its name within the contract, its HTTP status, and the schema of its facts."""

    name: str
    status: int
    schema: Schema
    doc: str = ""


class Method(Value):
    """A query or a command."""

    name: str
    kind: Literal["query", "command"]
    parameters: tuple[Parameter, ...] = ()
    result: Schema = {}
    refuses: tuple[str, ...] = ()
    doc: str = ""


class EventKind(Value):
    """A fact: owned by one contract, ordered by the field `key`."""

    name: str
    owner: str
    schema: Schema
    version: int = 1
    key: str | None = None
    doc: str = ""


class Contract(Value):
    """What other services may know of a service."""

    name: str
    version: str
    source: Source
    methods: tuple[Method, ...] = ()
    refusals: tuple[RefusalKind, ...] = ()
    events: tuple[EventKind, ...] = ()
    doc: str = ""


class Subscription(Value):
    """A service's handler of an event; `event` is `contract.EventName`."""

    event: str
    method: str
    start: Literal["now", "retained"] = "now"
    attempts: int = 8
    backoff_seconds: float = 0.1
    timeout_seconds: float = 30.0


class Schedule(Value):
    """A service's method that runs by the clock: every `"10m"`, or by cron text in a time zone."""

    method: str
    when: str
    zone: str = "UTC"
    timeout_seconds: float = 300.0


class Step(Value):
    """A step of a saga, or a wait for an event (`event`), a duration in seconds (`delay`) or a moment (`until`)."""

    name: str
    kind: Literal["step", "wait"] = "step"
    undo: str | None = None
    pivot: bool = False
    parallel: str | None = None
    timeout_seconds: float | None = None
    attempts: int | None = None
    backoff_seconds: float | None = None
    event: str | None = None
    delay_seconds: float | None = None
    until: str | None = None


class Saga(Value):
    """Work that spans services: steps in order, undone in reverse."""

    name: str
    state: Schema
    steps: tuple[Step, ...]
    depends_on: tuple[str, ...] = ()
    doc: str = ""


class Service(Value):
    """Who implements a contract, and what it needs."""

    name: str
    contract: str
    implementation: str
    source: Source
    depends_on: tuple[str, ...] = ()
    subscribes: tuple[Subscription, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    sagas: tuple[Saga, ...] = ()
    database: bool = False
    settings: Schema | None = None
    doc: str = ""


class Route(Value):
    """One operation of a public API."""

    method: str
    path: str
    handler: str
    status: int = 200
    doc: str = ""


class Api(Value):
    """A public API: routes in front of contracts."""

    name: str
    version: str
    prefix: str
    implementation: str
    source: Source
    depends_on: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    settings: Schema | None = None
    doc: str = ""


class Mounted(Value):
    """An existing ASGI or WSGI application, unchanged, beside the services."""

    name: str
    app: str
    prefix: str


class Application(Value):
    """The whole, in the order in which it was declared."""

    name: str
    contracts: tuple[Contract, ...] = ()
    services: tuple[Service, ...] = ()
    apis: tuple[Api, ...] = ()
    mounted: tuple[Mounted, ...] = ()
    schemas: dict[str, Schema] = {}
