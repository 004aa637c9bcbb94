"""Which types may cross a boundary: immutable, and known to the codecs."""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import decimal
import enum
import types
import typing
import uuid
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple, NewType, TypeVar, Union, get_args, get_origin

import msgspec

LEAVES = (
    type(None), bool, int, float, str, bytes, decimal.Decimal, datetime.datetime, datetime.date, datetime.time,
    datetime.timedelta, uuid.UUID, msgspec.Raw,
)  # fmt: skip
FROZEN = (tuple, frozenset, collections.abc.Sequence, collections.abc.Mapping, collections.abc.Set)
MUTABLE = {
    list: "tuple[{0}, ...]",
    set: "frozenset[{0}]",
    dict: "collections.abc.Mapping[{0}]",
    bytearray: "bytes",
    collections.abc.MutableSequence: "tuple[{0}, ...]",
    collections.abc.MutableMapping: "collections.abc.Mapping[{0}]",
    collections.abc.MutableSet: "frozenset[{0}]",
}


class Complaint(NamedTuple):
    """Why a type may not cross a boundary, and what to write instead."""

    message: str
    remedy: str


def complaints(hint: Any) -> Iterator[Complaint]:
    """Everything that keeps values of a type from crossing a boundary; nothing when it may cross."""
    found = list(_complaints(hint, frozenset()))
    yield from found
    if not found:
        try:
            msgspec.msgpack.Decoder(hint)
        except (TypeError, ValueError, NameError) as error:
            yield Complaint(f"{shown(hint)} cannot be decoded: {str(error).splitlines()[0].rstrip('.')}.", "")


def shown(hint: Any) -> str:
    """A type as it was written."""
    return getattr(hint, "__qualname__", None) or str(hint) if isinstance(hint, type) and not get_args(hint) else str(
        hint
    ).replace("typing.", "")


def _complaints(hint: Any, seen: frozenset[Any]) -> Iterator[Complaint]:
    if hint is None or hint in LEAVES:
        return
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal or isinstance(hint, TypeVar):
        return
    if isinstance(hint, NewType):
        yield from _complaints(hint.__supertype__, seen)
    elif origin is Annotated:
        yield from _complaints(arguments[0], seen)
    elif origin in (Union, types.UnionType):
        for argument in arguments:
            yield from _complaints(argument, seen)
    elif (origin or hint) in MUTABLE:
        inside = ", ".join(shown(argument) for argument in arguments) or "…"
        yield Complaint(
            f"{shown(hint)} is mutable, so caller and callee could change it under each other's hands.",
            f"Use {MUTABLE[origin or hint].format(inside)}.",
        )
    elif (origin or hint) in FROZEN:
        for argument in arguments:
            if argument is not Ellipsis:
                yield from _complaints(argument, seen)
    else:
        yield from _class_complaints(origin or hint, arguments, seen)


def _class_complaints(kind: Any, arguments: tuple[Any, ...], seen: frozenset[Any]) -> Iterator[Complaint]:
    for argument in arguments:
        yield from _complaints(argument, seen)
    if kind in seen or (isinstance(kind, type) and issubclass(kind, enum.Enum)):
        return
    if kind is Any or kind is object:
        yield Complaint(f"{shown(kind)} says nothing about the value.", "Name its type, for instance a Struct.")
    elif typing.is_typeddict(kind):
        yield Complaint(f"{shown(kind)} is a TypedDict, which is mutable.", "Make it a Struct.")
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        if not kind.__struct_config__.frozen:
            yield Complaint(f"{shown(kind)} is a mutable struct.", f"Declare it as `class {kind.__name__}(ramet.Struct)`.")
        yield from _field_complaints(kind, seen)
    elif dataclasses.is_dataclass(kind):
        if not kind.__dataclass_params__.frozen:  # type: ignore[union-attr]  # not in the stubs
            yield Complaint(f"{shown(kind)} is a mutable dataclass.", "Add `frozen=True`, or make it a ramet.Struct.")
        yield from _field_complaints(kind, seen)
    elif isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields"):
        yield from _field_complaints(kind, seen)
    else:
        yield Complaint(
            f"{shown(kind)} cannot be sent: it is neither a plain value nor a Struct.",
            "Send a Struct with the fields that the other side needs.",
        )


def _field_complaints(kind: type, seen: frozenset[Any]) -> Iterator[Complaint]:
    try:
        hints = typing.get_type_hints(kind, include_extras=True)
    except NameError as error:
        yield Complaint(f"{shown(kind)} has a field of an unknown type: {error}.", "Import the type, or mend its name.")
        return
    for name, hint in hints.items():
        if get_origin(hint) is not typing.ClassVar:
            for complaint in _complaints(hint, seen | {kind}):
                yield Complaint(f"{shown(kind)}.{name}: {complaint.message}", complaint.remedy)
