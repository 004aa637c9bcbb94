"""Pure: an application for the length of a test as a ramet.toml, which the processes of the test read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, time, timedelta
from typing import Any

from ramet.contract.application import Application
from ramet.contract.mounted import Mounted
from ramet.errors import UsageError
from ramet.model.topology import Deployment
from ramet.runtime.policies import said

KEPT = ("data", "durability", "storage", "broker", "broker_class", "strict", "cors_origins")
"""What a replica reads of its deployment; the process groups it is told by its supervisor."""


def document(
    name: str, application: Application, deployment: Deployment, settings: Mapping[str, Mapping[str, Any]]
) -> str:
    """The text of the file.

    Raises: UsageError for what cannot be written: services given as classes, and settings that TOML has no words for.
    """
    return "\n".join(_lines(name, application, deployment, settings)) + "\n"


def _lines(
    name: str, application: Application, deployment: Deployment, settings: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    modules = [part for part in application.services if isinstance(part, str)]
    mounted = [part for part in application.services if isinstance(part, Mounted) and isinstance(part.app, str)]
    if len(modules) + len(mounted) < len(application.services):
        raise UsageError(
            "Processes import their services by name: give running() a ramet.toml, or an Application whose services "
            'are modules, such as "shop.orders"; fakes and single classes are for placements in one process.'
        )
    yield f"[application]\nname = {value(name)}\nservices = {value(modules)}"
    for one in mounted:
        table: dict[str, Any] = {"app": one.app, "prefix": one.prefix, "interface": one.interface}
        yield from (f"[mounted.{key(one.name)}]", *_pairs(table))
    kept: dict[str, Any] = {one: getattr(deployment, one) for one in KEPT}
    yield from (f"[deployment.{key(deployment.name)}]", *_pairs(kept))
    for where, policies in said(deployment).items():
        yield from (f"[deployment.{key(deployment.name)}.{where}]", *_pairs(policies))
    for service, own in settings.items():
        yield from (f"[settings.{key(service)}]", *_pairs(own))


def _pairs(table: Mapping[str, Any]) -> Iterator[str]:
    return (f"{key(name)} = {value(one)}" for name, one in table.items())


def key(name: str) -> str:
    """A key, in quotes."""
    return value(str(name))


def value(given: Any) -> str:
    r"""A value of TOML; durations become seconds. Raises: UsageError.

    >>> value({"leg": timedelta(seconds=2), "names": ("a", 'b"'), "on": True})
    '{"leg" = 2.0, "names" = ["a", "b\\""], "on" = true}'
    """
    match given:
        case bool():
            return "true" if given else "false"
        case str():
            return json.dumps(given, ensure_ascii=False).replace("\x7f", "\\u007f")
        case int() | float():
            return repr(given)
        case timedelta():
            return repr(given.total_seconds())
        case date() | time():
            return given.isoformat()
        case list() | tuple():
            return f"[{', '.join(map(value, given))}]"
        case Mapping():
            return f"{{{', '.join(_pairs(given))}}}"
        case _:
            raise UsageError(f"A setting of processes is written to a ramet.toml, which has no words for {given!r}.")
