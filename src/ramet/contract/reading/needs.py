"""Reading what annotations ask the runtime for: contracts, a database, settings, the clock."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar, get_origin

import msgspec

from ramet.clock import Clock
from ramet.contract.declared import Needs
from ramet.contract.problems import Problems
from ramet.contract.reading.discovery import is_contract
from ramet.contract.reading.hints import UNRESOLVED, resolve
from ramet.contract.reading.types import shown
from ramet.contract.schemas import schema_components
from ramet.contract.service import Contract
from ramet.settings import Secret, Settings

Found = dict[str, Any]


def read_needs(cls: type, below: type, problems: Problems) -> Needs:
    """What the annotations of a class and its bases, down to (not including) `below`, ask for."""
    found: Found = {}
    for base in reversed(cls.__mro__[: cls.__mro__.index(below)]):
        for name, annotation in inspect.get_annotations(base).items():
            if name.startswith("_"):
                continue  # its own, to be given a value in startup()
            hint = resolve(annotation, base, problems, base, f"{base.__name__}.{name}")
            if hint is UNRESOLVED or get_origin(hint) is ClassVar or hint is ClassVar:
                continue
            if hasattr(below, name) or inspect.isfunction(base.__dict__.get(name)):
                message = f"{base.__name__}.{name} is annotated, and is the name of a method."
                problems.add(base, message, "Give what it depends on another name.", word=name)
            elif name not in base.__dict__:
                _sort(base, name, hint, found, problems)
    _check_settings(cls, found, problems)
    return Needs(
        contracts=_those(found, _is_contract),
        settings=_those(found, _is_settings),
        databases=_those(found, _is_database),
        clocks=_those(found, _is_clock),
    )


def forbid(cls: type, needs: Needs, problems: Problems, *, who: str, kinds: tuple[str, ...], remedy: str) -> None:
    """Report what this kind of class is not given."""
    for kind in kinds:
        for name in getattr(needs, kind):
            what = {"databases": "a database", "settings": "settings", "clocks": "the clock"}[kind]
            problems.add(cls, f"{who} {cls.__name__} asks for {what}.", remedy, word=name)


def _is_contract(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Contract) and is_contract(hint)


def _is_settings(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Settings) and hint is not Settings


def _is_database(hint: Any) -> bool:
    return isinstance(hint, type) and getattr(hint, "ramet_need", None) == "database"


def _is_clock(hint: Any) -> bool:
    return hint is Clock


def _those(found: Found, fits: Callable[[Any], bool]) -> Found:
    return {name: hint for name, hint in found.items() if fits(hint)}


def _sort(cls: type, name: str, hint: Any, found: Found, problems: Problems) -> None:
    title = f"{cls.__name__}.{name}"
    if any(fits(hint) for fits in (_is_contract, _is_settings, _is_database, _is_clock)):
        found[name] = hint
    elif hint is Settings:
        remedy = f"Declare a class of your own: `class {cls.__name__.removesuffix('Service')}Settings(Settings)`."
        problems.add(cls, f"{title} asks for Settings that say nothing.", remedy, word=name)
    elif isinstance(hint, type) and issubclass(hint, Contract) and hint is not Contract:
        contract = next(base for base in hint.__mro__ if Contract in base.__bases__).__name__
        remedy = f"Depend on its contract: `{name}: {contract}`."
        problems.add(cls, f"{title} depends on the service {shown(hint)}.", remedy, word=name)
    else:
        remedy = "It gives contracts, a Database, Settings and the Clock; give this a value, or mark it ClassVar."
        problems.add(cls, f"{title} asks for {shown(hint)}, which the runtime cannot give.", remedy, word=name)


def _check_settings(cls: type, found: Found, problems: Problems) -> None:
    settings = _those(found, _is_settings)
    if len(settings) > 1:
        names = " and ".join(shown(kind) for kind in settings.values())
        remedy = "Make one class of them: both would be read from the same table."
        problems.add(cls, f"{cls.__name__} asks for settings twice: {names}.", remedy, word=list(settings)[-1])
    for kind in settings.values():
        try:
            settings_schema(kind)
        except Exception as error:  # noqa: BLE001 - evaluating a user's annotation may raise anything
            reason = str(error).partition("\n")[0].rstrip(".") or "a field has a type that cannot be read"
            remedy = "Use numbers, strings, durations, Secrets and tuples of them."
            problems.add(kind, f"The settings {shown(kind)} cannot be read: {reason}.", remedy)


def settings_schema(kind: type[Settings]) -> dict[str, Any]:
    """The JSON Schema of a service's settings; defaults of secrets are left out.

    Raises: TypeError where a field has a type that cannot be read.
    """
    fields = [
        (field.name, field.type, _default_of(field)) if not field.required else (field.name, field.type)
        for field in msgspec.structs.fields(kind)
    ]
    plain = msgspec.defstruct(kind.__name__, fields, kw_only=True, module=kind.__module__)
    (schema,), components = schema_components([plain], schema_hook=_secret_schema)
    own = {**components.pop(kind.__name__, schema), "title": kind.__name__}
    return {**own, "$defs": components} if components else own


def _default_of(field: msgspec.structs.FieldInfo) -> Any:
    is_secret = isinstance(field.default, Secret)
    return msgspec.field(default_factory=lambda: field.default) if is_secret else field.default


def _secret_schema(hint: type) -> dict[str, Any]:
    if hint is Secret:
        return {"type": "string", "format": "password", "writeOnly": True}
    raise TypeError(f"{shown(hint)} is not a type that settings can have")
