"""What a test reaches of an application, wherever its services are: their databases, instances, events and sagas."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import TypeVar

from ramet.contract.saga import Saga
from ramet.contract.service import Contract
from ramet.contract.struct import Event
from ramet.errors import UsageError
from ramet.runtime.running import Running
from ramet.sagas.views import SagaSummary
from ramet.storage.base import Storage
from ramet.storage.work import transact
from ramet.telemetry.scope import Scope, Work

C = TypeVar("C", bound=Contract)


class Access(ABC):
    """One application that runs; `running` has clients of every contract, `storage` is only read."""

    running: Running

    @abstractmethod
    def service(self, cls: type[C]) -> C:
        """The instance that serves. Raises: UsageError."""

    @abstractmethod
    async def storage(self, service: str) -> Storage:
        """A service's database, open."""

    @abstractmethod
    async def publish(self, owner: str, event: Event) -> None:
        """Publish an event of a service."""

    @abstractmethod
    async def saga(self, saga: type[Saga], key: str) -> SagaSummary | None:
        """A saga. Raises: UsageError where no service runs sagas of this class."""


class InThisProcess(Access):
    """Running applications of this process, one or several, which together have every service."""

    def __init__(self, parts: Sequence[Running]) -> None:
        self.running = parts[0]
        self._services = {name: service for part in parts for name, service in part.services.items()}

    def service(self, cls: type[C]) -> C:
        for service in self._services.values():
            if isinstance(service.instance, cls):
                return service.instance
        raise UsageError(
            f"{cls.__name__} is not part of the application under test: ask for a service, or a fake, that is."
        )

    async def storage(self, service: str) -> Storage:
        return self._services[service].storage

    async def publish(self, owner: str, event: Event) -> None:
        service = self._services[owner]
        await transact(service.storage, Scope(service.name, Work.COMMAND, "test"), partial(service.link.publish, event))

    async def saga(self, saga: type[Saga], key: str) -> SagaSummary | None:
        for service in self._services.values():
            if service.engine is not None and service.engine.knows(saga):
                found = await service.sagas.sagas(name=saga.__name__, key=key)
                return found[0] if found else None
        raise no_such_saga(saga)


def no_such_saga(saga: type[Saga]) -> UsageError:
    """The sentence for a saga that no service lists."""
    return UsageError(f"{saga.__name__} is not part of the application under test: run the service that lists it.")
