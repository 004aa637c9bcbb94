"""Pure: what travels, read from the contracts: for each method a message of its arguments, and its answer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, get_type_hints

import msgspec
from boutique import contracts, frontend, services
from boutique.frontend import Frontend

from ramet import Contract


@dataclass(frozen=True, kw_only=True, slots=True)
class Method:
    """One method: `path` is "Cart/get_cart", `request` the type of its message."""

    name: str
    path: str
    request: type[msgspec.Struct]
    answer: Any


def methods_of(contract: type[Contract]) -> list[Method]:
    """Those that a contract declares."""
    found = []
    for name, function in vars(contract).items():
        if getattr(function, "__ramet__", None) is None:
            continue
        hints = get_type_hints(function)
        answer = hints.pop("return")
        request = msgspec.defstruct(f"{contract.__name__}_{name}", list(hints.items()), array_like=True)
        found.append(Method(name=name, path=f"{contract.__name__}/{name}", request=request, answer=answer))
    return found


def _classes(module: ModuleType, suffix: str = "") -> Mapping[str, Any]:
    found = inspect.getmembers(module, inspect.isclass)
    return {
        name.removesuffix(suffix).lower(): cls
        for name, cls in found
        if cls.__module__ == module.__name__ and issubclass(cls, Contract)
    }


CONTRACTS: Mapping[str, type[Contract]] = _classes(contracts)
SERVICES: Mapping[str, type[Contract]] = _classes(services, "Service")
NAMES = (*SERVICES, "frontend")
"""Of the processes, "cart" and so on."""


def assemble(name: str, client: Callable[[str, type[Contract]], Any]) -> Any:
    """A service, or the frontend, with clients for what it needs; `client` makes one for a service's name."""
    cls: type[Any] = Frontend if name == "frontend" else SERVICES[name]
    module = frontend if name == "frontend" else services
    made = cls()
    needed = inspect.get_annotations(cls)
    for attribute, kind in needed.items():
        contract = getattr(module, kind)
        setattr(made, attribute, client(contract.__name__.lower(), contract))
    return made
