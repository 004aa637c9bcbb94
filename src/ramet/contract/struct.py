"""Values and facts: `Struct` and `Event`, frozen and typed."""

from __future__ import annotations

from typing import Any, cast, dataclass_transform

import msgspec

from ramet.settings import ValueType
from ramet.vectorcall import inherits_vectorcall


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Struct(msgspec.Struct, metaclass=ValueType, frozen=True, kw_only=True):
    """A value: frozen, keyword-only, validated where it enters the application.

    >>> class Line(Struct):
    ...     sku: str
    ...     quantity: int = 1
    >>> Line(sku="tea")
    Line(sku='tea', quantity=1)

    `msgspec.structs.replace(value, field=…)` gives a changed copy. Unknown fields are ignored when decoding, so that
    a newer sender does not break an older receiver. Constraints, `Annotated[int, msgspec.Meta(ge=1)]`, are checked when
    a value enters the application and when it crosses a contract, in every placement; not when it is made.
    """


@inherits_vectorcall
class EventType(ValueType):
    """Keeps what an event's class line says (`key`, `version`), which msgspec does not know."""

    key_field: str | None
    schema_version: int

    def __new__(  # noqa: PYI034 - type checkers know no Self in a metaclass
        mcs,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        key: str | None = None,
        version: int = 1,
        **options: Any,
    ) -> EventType:
        cls = cast("EventType", super().__new__(mcs, name, bases, namespace, **options))
        inherited = (base.key_field for base in bases if isinstance(base, EventType))
        type.__setattr__(cls, "key_field", key if key is not None else next(inherited, None))
        type.__setattr__(cls, "schema_version", version)
        return cls


class Event(Struct, metaclass=EventType):
    """A fact that has happened, owned by the service that publishes it.

    >>> class OrderPlaced(Event, key="order_id"):
    ...     order_id: str

    Events with equal `key` fields are handled in the order in which they were published; others in any order.
    `version` counts incompatible changes of the fields, from 1.
    """
