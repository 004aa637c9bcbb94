"""What reading the declarations found: frozen values that hold the Python classes and resolved types."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ramet.contract.api import Api, kebab
from ramet.contract.mounted import Mounted
from ramet.contract.places import Place
from ramet.contract.problems import Problem
from ramet.contract.saga import Saga
from ramet.contract.service import Contract, HandlerMark, ScheduleMark
from ramet.contract.struct import Event
from ramet.errors import Refusal
from ramet.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaredMethod:
    """A query or command: `parameters` as (name, type, default), `inspect.Parameter.empty` where there is none."""

    name: str
    kind: Literal["query", "command"]
    function: Callable[..., Any]
    parameters: tuple[tuple[str, Any, Any], ...]
    result: Any
    refuses: tuple[type[Refusal], ...] = ()

    @property
    def is_command(self) -> bool:
        """Whether it has effects."""
        return self.kind == "command"


@dataclass(frozen=True, kw_only=True)
class DeclaredContract:
    """A contract: its wire name, its methods by name, the events it owns."""

    name: str
    version: str
    cls: type[Contract]
    methods: Mapping[str, DeclaredMethod]
    events: tuple[type[Event], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Needs:
    """What annotations ask the runtime for, each by attribute name."""

    contracts: Mapping[str, type[Contract]] = field(default_factory=dict)
    settings: Mapping[str, type[Settings]] = field(default_factory=dict)
    databases: Mapping[str, type] = field(default_factory=dict)
    clocks: Mapping[str, type] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaredHandler:
    """An `@on` method of a service."""

    name: str
    mark: HandlerMark


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaredSchedule:
    """An `@every` method of a service."""

    name: str
    mark: ScheduleMark


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaredSaga:
    """A saga and what its steps call."""

    cls: type[Saga]
    needs: Needs


@dataclass(frozen=True, kw_only=True)
class DeclaredService:
    """A service: the class that implements the contract of the same name."""

    name: str
    cls: type[Contract]
    contract: DeclaredContract
    needs: Needs
    handlers: tuple[DeclaredHandler, ...] = ()
    schedules: tuple[DeclaredSchedule, ...] = ()
    sagas: tuple[DeclaredSaga, ...] = ()

    @property
    def keeps_data(self) -> bool:
        """Whether it has a database of its own; what sagas and handlers need to remember is kept there too."""
        return bool(self.needs.databases)


@dataclass(frozen=True, kw_only=True)
class DeclaredApi:
    """A public API and what its methods call."""

    name: str
    cls: type[Api]
    needs: Needs


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaredExternal:
    """A contract that is answered outside of the application, and where."""

    contract: DeclaredContract
    url: str
    token: str = ""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """The whole application as declared; `places` says where each of `mounted` is.

    `warnings` are worth a look, and nothing is wrong.
    """

    name: str
    contracts: tuple[DeclaredContract, ...]
    services: tuple[DeclaredService, ...]
    apis: tuple[DeclaredApi, ...]
    mounted: tuple[Mounted, ...]
    externals: tuple[DeclaredExternal, ...] = ()
    places: tuple[Place, ...] = ()
    warnings: tuple[Problem, ...] = ()

    def parts(self) -> Iterator[DeclaredService | DeclaredSaga | DeclaredApi]:
        """Everything that calls contracts: services, their sagas, APIs."""
        for service in self.services:
            yield service
            yield from service.sagas
        yield from self.apis

    def needs(self) -> Iterator[tuple[str, Needs]]:
        """What services, their sagas and APIs need, each with the name of the service or API."""
        for service in self.services:
            yield service.name, service.needs
            yield from ((service.name, saga.needs) for saga in service.sagas)
        yield from ((api.name, api.needs) for api in self.apis)

    def contract_of(self, cls: type[Contract]) -> DeclaredContract | None:
        """The declared contract of a contract class."""
        return next((contract for contract in self.contracts if contract.cls is cls), None)

    def owner_of(self, event: type[Event]) -> DeclaredContract | None:
        """The contract whose service publishes an event."""
        return next((contract for contract in self.contracts if event in contract.events), None)

    def topic_of(self, event: type[Event]) -> str:
        """The name of an event on the wire: "<contract>.<Event>"."""
        owner = self.owner_of(event)
        return f"{owner.name if owner else '?'}.{event.__name__}"


NO_DEFAULT = inspect.Parameter.empty


def wire_name(cls: type) -> str:
    """A class's name in files and on the wire: `PaymentMethods` is `payment-methods`."""
    return kebab(cls.__name__)
