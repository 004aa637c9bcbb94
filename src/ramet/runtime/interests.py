"""Pure: who consumes what in a whole application: every handler of an event, and every saga that waits for one."""

from __future__ import annotations

from collections.abc import Iterator

from ramet.contract.declared import Declared, DeclaredHandler, DeclaredService
from ramet.contract.saga import Saga, saga_declaration
from ramet.contract.struct import Event
from ramet.events.base import Interest


def interests(declared: Declared) -> Iterator[Interest]:
    """What each consumer wants, wherever it runs."""
    for service in declared.services:
        for handler in service.handlers:
            topic = declared.topic_of(handler.mark.event)
            retained = handler.mark.start == "retained"
            yield Interest(consumer_of(service, handler), frozenset({topic}), retained=retained)
        for saga in service.sagas:
            for event in awaited(saga.cls):
                yield Interest(waiting_of(service, saga.cls, event), frozenset({declared.topic_of(event)}))


def consumer_of(service: DeclaredService, handler: DeclaredHandler) -> str:
    """The name under which the replicas of a handler share its events."""
    return f"{service.name}.{handler.name}"


def waiting_of(service: DeclaredService, saga: type[Saga], event: type[Event]) -> str:
    """The name under which an event is taken for the sagas that wait for it."""
    return f"{service.name}.{saga.__name__}/{event.__name__}"


def awaited(saga: type[Saga]) -> list[type[Event]]:
    """The events that the steps of a saga wait for."""
    steps = saga_declaration(saga)[0].steps
    return list(dict.fromkeys(step.event for step in steps if step.event is not None))
