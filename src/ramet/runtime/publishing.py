"""What a running service has behind `publish`, `start` and `log`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import cast

import msgspec

from ramet.clock import Clock
from ramet.contract.reading.types import is_constrained
from ramet.contract.saga import Saga
from ramet.contract.service import SagaRef
from ramet.contract.struct import Event, Struct
from ramet.errors import UsageError
from ramet.events.base import Message
from ramet.events.headers import to_headers
from ramet.events.outbox import publish_write
from ramet.events.relay import Relay
from ramet.sagas.engine import SagaEngine
from ramet.storage.base import Storage, Unit
from ramet.telemetry.context import Context, current_context
from ramet.telemetry.scope import Scope, may_have_effects


class Publishing:
    """Implements `ServiceLink` of contract/service.py for one running service."""

    def __init__(self, *, service: str, storage: Storage, topics: Mapping[type[Event], str], clock: Clock) -> None:
        self.log = logging.getLogger(f"ramet.service.{service}")
        self.relay: Relay | None = None
        self.engine: SagaEngine | None = None
        self._service = service
        self._storage = storage
        self._events = {kind: (topic, event_encoder(kind)) for kind, topic in topics.items()}
        self._clock = clock

    async def publish(self, event: Event) -> None:
        """Defer the event's row to the commit of the running work; the relay is woken after it."""
        scope = may_have_effects(self._service, f"publish {type(event).__name__}")
        known = self._events.get(type(event))
        if known is None:
            own = ", ".join(kind.__name__ for kind in self._events) or "none"
            raise UsageError(
                f"{self._service} published {type(event).__name__}, which is not its own event; it owns {own}. "
                "Events are declared beside the contract, or named in `publishes=(…)`."
            )
        topic, encode = known
        unit, relay = self._unit(scope), self.relay
        wanted = relay is None or relay.wants(topic)
        unit.defer(publish_write(self._message(topic, event, encode(event)), wanted=wanted))
        if relay is not None and wanted:
            unit.after_commit(relay.wake)
        scope.wrote = True

    async def start(self, saga: type[Saga], key: str, state: Struct) -> SagaRef:
        """Put the saga's row into the transaction of the running work; the engine is woken after the commit."""
        scope = may_have_effects(self._service, f"start the saga {saga.__name__}")
        if self.engine is None or not self.engine.knows(saga):
            raise UsageError(
                f"{self._service} started {saga.__name__}, which it does not list: "
                f"add `sagas=({saga.__name__},)` to its class line."
            )
        scope.wrote = True
        return await self.engine.begin(self._unit(scope), saga, key=key, state=state, context=self._context())

    def _unit(self, scope: Scope) -> Unit:
        if scope.unit is None:
            scope.unit = self._storage.unit()
        return cast("Unit", scope.unit)

    def _message(self, topic: str, event: Event, payload: bytes) -> Message:
        kind = type(event)
        return Message(
            id=self._clock.id(),
            topic=topic,
            key=str(getattr(event, kind.key_field)) if kind.key_field is not None else None,
            version=kind.schema_version,
            payload=payload,
            headers=to_headers(self._context()),
            at=self._clock.time(),
        )

    def _context(self) -> Context:
        return current_context.get() or Context.root(self._clock.id())


def event_encoder(kind: type[Event]) -> Callable[[Event], bytes]:
    """How an event becomes its payload.

    Where its class declares constraints, the payload is read again at once: what breaks one is told to the publisher,
    and no dead letter of every consumer. The function raises: UsageError.
    """
    encode = msgspec.json.encode
    if not is_constrained(kind):
        return encode
    decode = msgspec.json.Decoder(kind).decode

    def encode_checked(event: Event) -> bytes:
        payload = encode(event)
        try:
            decode(payload)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise UsageError(
                f"{kind.__name__} was published with what its declaration does not allow: {error}."
            ) from error
        return payload

    return encode_checked
