"""Typed settings and secrets: read from ramet.toml and the environment, checked as a whole, masked when shown."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, dataclass_transform, get_args, get_type_hints

import msgspec
from msgspec.structs import fields

from ramet.errors import ConfigurationError
from ramet.vectorcall import inherits_vectorcall

S = TypeVar("S", bound="Settings")

_PLAIN = frozenset({"str", "int", "float", "bool", "bytes", "None"})
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")


def seconds(duration: str | float | timedelta) -> float:
    """A duration in seconds: `"150ms"`, `"10s"`, `"5m"`, `"2h"`, `"1d"`, `"1h30m"`, a number of seconds or a timedelta.

    Raises: ValueError with the forms that are understood.
    """
    if isinstance(duration, timedelta):
        return duration.total_seconds()
    if isinstance(duration, int | float) and not isinstance(duration, bool) and not math.isnan(duration):
        return float(duration)
    text = duration.replace(" ", "") if isinstance(duration, str) else ""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f'{_quoted(duration)} is not a duration: write "150ms", "10s", "5m", "2h", "1d" or "1h30m"')
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _quoted(given: object) -> str:
    return f'"{given}"' if isinstance(given, str) else repr(given)


class Secret:
    """A string that is masked wherever it is shown; `reveal()` gives it.

    In ramet.toml a secret is a reference: `"env:CARD_KEY"` or `"file:/run/secrets/card"`.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(****)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


@inherits_vectorcall
class ValueType(msgspec.StructMeta):
    """Makes every subclass frozen and keyword-only, without saying it again: msgspec inherits only the first.

    A value of nothing but texts, numbers and bytes can be part of no cycle, so the garbage collector need not look at
    it: such values are made and read a third faster, and a thousand of them no longer make it run.
    """

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> ValueType:
        options.setdefault("frozen", True)
        options.setdefault("kw_only", True)
        options.setdefault("gc", not _is_plain(bases, namespace.get("__annotations__"), options))
        return super().__new__(mcs, name, bases, namespace, **options)


def _is_plain(bases: tuple[type, ...], hints: Mapping[str, Any] | None, options: Mapping[str, Any]) -> bool:
    """Whether all fields, inherited ones too, are of types that refer to nothing."""
    if not hints or options.get("dict") or options.get("weakref"):
        return False
    structs = [base for base in bases if isinstance(base, msgspec.StructMeta)]
    if any(base.__struct_fields__ and base.__struct_config__.gc for base in structs):
        return False
    return all(part.strip() in _PLAIN for hint in hints.values() for part in _text(hint).split("|"))


def _text(hint: Any) -> str:
    """An annotation as it is written."""
    return hint if isinstance(hint, str) else hint.__name__ if isinstance(hint, type) else str(hint)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Settings(msgspec.Struct, metaclass=ValueType, frozen=True, forbid_unknown_fields=True):
    """What can be set for one service: annotated fields with defaults.

    A value comes from the environment (`SHOP_INVENTORY_HOLD_MINUTES` for the field `hold_minutes` of the service
    `inventory` in the application `shop`; JSON where it is a list or a table), else from `[settings.inventory]` in
    ramet.toml, else from its default.
    """


def read_settings(
    kind: type[S],
    *,
    application: str,
    service: str,
    table: Mapping[str, Any],
    environment: Mapping[str, str],
    origins: Mapping[str, str] = MappingProxyType({}),
) -> S:
    """Build the settings of one service; `origins` says where the fields of the table are written.

    Raises: ConfigurationError that names the field, where its value came from, and what fits.
    """
    given = {
        name: (value, origins.get(name, f"[settings.{service}] {name} in ramet.toml")) for name, value in table.items()
    }
    for name in kind.__struct_fields__:
        variable = _variable(application, service, name)
        if variable in environment:
            given[name] = (environment[variable], f"the environment variable {variable}")
    hints = get_type_hints(kind, include_extras=True)
    ready: dict[str, Any] = {}
    for name, (value, where) in given.items():
        if name not in kind.__struct_fields__:
            raise ConfigurationError(f"{where}: {_unknown(kind)}.")
        try:
            ready[name] = _convert(value, hints[name], environment)
        except (ValueError, OSError) as error:
            raise ConfigurationError(f"{where}: {error}.") from error
    missing = [field.name for field in fields(kind) if field.required and field.name not in ready]
    if missing:
        raise ConfigurationError(
            f"The service {service} has no value for {', '.join(missing)}: set it in [settings.{service}] of "
            f"ramet.toml, or as {_variable(application, service, missing[0])}."
        )
    try:
        return kind(**ready)
    except ValueError as error:
        raise ConfigurationError(f"The settings of {service} do not fit together: {error}.") from error


def misfits(kind: type[S], table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The fields of a table that are wrong in every environment, and why; secrets are elsewhere, and not looked at."""
    hints = get_type_hints(kind, include_extras=True)
    for name, value in table.items():
        if name not in kind.__struct_fields__:
            yield name, _unknown(kind)
        elif not _is_secret(hints[name]):
            try:
                _convert(value, hints[name], {})
            except ValueError as error:
                yield name, str(error)


def _unknown(kind: type[Settings]) -> str:
    return f"{kind.__name__} has no such field; it has {', '.join(kind.__struct_fields__) or 'none'}"


def _is_secret(hint: Any) -> bool:
    return Secret in (hint, *get_args(hint))


def _variable(application: str, service: str, name: str) -> str:
    return re.sub(r"\W", "_", f"{application}_{service}_{name}".upper(), flags=re.ASCII)


def _convert(value: Any, hint: Any, environment: Mapping[str, str]) -> Any:
    if _is_secret(hint) and isinstance(value, bool | list | dict):
        raise ValueError('a secret is a text, such as "env:NAME" or "file:/run/secrets/name"')
    if _is_secret(hint) and value is not None:
        return Secret(referred(str(value), environment))
    if timedelta in (hint, *get_args(hint)) and isinstance(value, str | int | float):
        return timedelta(seconds=seconds(value))
    try:
        return msgspec.convert(value, hint, strict=False)
    except msgspec.ValidationError:
        if not (isinstance(value, str) and value[:1] in ("[", "{")):
            raise
        return msgspec.json.decode(value, type=hint)


def referred(reference: str, environment: Mapping[str, str]) -> str:
    """What `"env:NAME"` or `"file:/path"` refers to; any other text is itself. Raises: ValueError."""
    scheme, _, rest = reference.partition(":")
    if scheme == "env":
        if not rest:
            raise ValueError('"env:" is followed by the name of an environment variable')
        if rest not in environment:
            raise ValueError(f"the environment variable {rest}, to which it refers, is not set")
        return environment[rest]
    if scheme == "file":
        try:
            return Path(rest).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
            raise ValueError(
                f"the file {rest or 'without a name'}, to which it refers, cannot be read: {why}"
            ) from error
    return reference
