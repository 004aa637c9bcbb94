"""Pure: what operators ask of a deployment and what they are answered, as frozen values that cross a socket as JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from ramet.contract.struct import Struct
from ramet.events.operators import Content, DeadLetter, Retrying, Waiting
from ramet.runtime.schedules import ScheduleState
from ramet.sagas.progress import Status as SagaStatus
from ramet.sagas.views import SagaHistory, SagaSummary


class Request(Struct, forbid_unknown_fields=True, tag_field="operation"):
    """The base of what may be asked."""


class GetStatus(Request, tag="status"):
    """How everything is."""


class ListSagas(Request, tag="sagas.list"):
    """Sagas, the newest first."""

    status: SagaStatus | None = None
    service: str | None = None
    name: str | None = None
    key: str | None = None
    limit: int = 50


class ShowSaga(Request, tag="sagas.show"):
    """One saga with its log: `saga` is its id, or "Name/key"."""

    saga: str


class RetrySaga(Request, tag="sagas.retry"):
    """Let a parked saga go on, and one that waits for its next attempt try at once."""

    saga: str


class CancelSaga(Request, tag="sagas.cancel"):
    """Turn a saga back: what it has done is undone in reverse."""

    saga: str


class ListEvents(Request, tag="events.list"):
    """Events that wait, are tried again, or were given up."""

    consumer: str | None = None
    topic: str | None = None
    key: str | None = None
    limit: int = 50


class ShowEvent(Request, tag="events.show"):
    """What a dead letter says."""

    event: str
    consumer: str | None = None


class ReplayEvents(Request, tag="events.replay"):
    """Have dead letters handled again: those of one event, of one consumer, or of both."""

    event: str | None = None
    consumer: str | None = None
    new_keys: bool = False


class DiscardEvents(Request, tag="events.discard"):
    """Delete dead letters: those of one event, of one consumer, or of both."""

    event: str | None = None
    consumer: str | None = None


class Call(Request, tag="call"):
    """Call a method of a contract, by its name on the wire or its class, with arguments by name."""

    contract: str
    method: str
    arguments: dict[str, Any] = msgspec.field(default_factory=dict)
    key: str | None = None
    timeout_seconds: float = 5.0


Asked = (
    GetStatus
    | ListSagas
    | ShowSaga
    | RetrySaga
    | CancelSaga
    | ListEvents
    | ShowEvent
    | ReplayEvents
    | DiscardEvents
    | Call
)


class Answer(Struct):
    """The base of what is answered."""


class Address(Answer):
    """Where a part of the application is reached."""

    name: str
    url: str


class CallCounts(Answer):
    """What a method, or all of a service or contract, had to do since the start; durations are sampled."""

    name: str
    calls: int
    refusals: int
    errors: int
    p50_ms: float | None
    p99_ms: float | None


class ServiceStatus(CallCounts):
    """One service; `sagas` counts by status, and `methods` is empty when the service does not run.

    `events_handled` are those since the start, by its handlers and the sagas that wait for them.
    """

    events_handled: int = 0
    events_waiting: int = 0
    events_retrying: int = 0
    events_dead: int = 0
    sagas: dict[str, int] = msgspec.field(default_factory=dict)
    schedules: tuple[ScheduleState, ...] = ()
    methods: tuple[CallCounts, ...] = ()


class ExternalStatus(CallCounts):
    """A contract that is answered outside of the application, where, and how its calls went."""

    url: str


class ReplicaStatus(Answer):
    """One replica of a process group; `state` is what its supervisor sees, `since` seconds since the epoch.

    `ended` is what its last end was that nobody had asked for, at `ended_at`, also when it is ready again.
    """

    number: int
    state: str
    since: float
    pid: int | None = None
    restarts: int = 0
    version: str = ""
    address: str = ""
    error: str = ""
    ended: str = ""
    ended_at: float | None = None


class GroupStatus(Answer):
    """A process group of a deployment of several processes."""

    name: str
    services: tuple[str, ...]
    wanted: int
    ready: int
    listen: str | None = None
    replicas: tuple[ReplicaStatus, ...] = ()


class Traffic(Answer):
    """The calls of one method by one service or API, "" for who is neither; since the process started.

    Requests to a public API are calls of its operations by "". Durations are those the caller sees.
    """

    caller: str
    method: str
    calls: int
    p50_ms: float | None = None


class Counts(Answer):
    """What a process has counted: of its services, of who calls them, and of those outside that it calls."""

    services: tuple[ServiceStatus, ...] = ()
    traffic: tuple[Traffic, ...] = ()
    externals: tuple[ExternalStatus, ...] = ()


NOTHING = Counts()


class Status(Counts):
    """A deployment; `pid`, `uptime_seconds` and `addresses` are None and empty when it does not run.

    `groups` is empty where everything is one process; else `pid` is the supervisor's. `cpu_seconds` is the processor
    time that one process has used since it could answer; None where nobody measured it.
    """

    application: str
    deployment: str
    running: bool
    pid: int | None = None
    uptime_seconds: float | None = None
    addresses: tuple[Address, ...] = ()
    groups: tuple[GroupStatus, ...] = ()
    cpu_seconds: float | None = None


class ServiceSaga(Answer):
    """A saga, and the service that runs it."""

    service: str
    saga: SagaSummary


class SagaList(Answer):
    """A page of sagas."""

    sagas: tuple[ServiceSaga, ...]


class SagaDetail(Answer):
    """A saga with the states it has had and its log, and the service that runs it."""

    service: str
    history: SagaHistory


class EventList(Answer):
    """What is not handled yet, or never was."""

    waiting: tuple[Waiting, ...]
    retrying: tuple[Retrying, ...]
    dead: tuple[DeadLetter, ...]


class EventDetail(Answer):
    """The dead letters of one event, one for each consumer that gave it up."""

    letters: tuple[Content, ...]


class Changed(Answer):
    """How many were changed; `later` when that takes effect at the next start."""

    count: int
    later: bool = False


class Refused(Answer):
    """The typed "no" that a call was answered with."""

    kind: str
    message: str
    facts: Any


class Called(Answer):
    """What a call ended with."""

    result: Any = None
    refused: Refused | None = None
