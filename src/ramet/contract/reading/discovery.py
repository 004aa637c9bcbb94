"""Finding what an application consists of: classes as given, or everything that a package holds."""

from __future__ import annotations

import importlib
import linecache
import pkgutil
import re
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import TypeVar

from ramet.contract.api import Api
from ramet.contract.application import Application
from ramet.contract.external import External
from ramet.contract.mounted import Mounted
from ramet.contract.places import Place, is_library, line_of
from ramet.contract.problems import Problems
from ramet.contract.saga import Saga
from ramet.contract.service import Contract

T = TypeVar("T")
LEFT_OUT = frozenset({"migrations", "tests", "__main__", "conftest"})


@dataclass(slots=True)
class Found:
    """The parts of an application, in order.

    `loose` are sagas seen in the packages, listed by a service or not; `whole` is False when a part could not be read.
    """

    services: list[type[Contract]] = field(default_factory=list)
    apis: list[type[Api]] = field(default_factory=list)
    mounted: list[tuple[Mounted, Place]] = field(default_factory=list)
    externals: list[tuple[External, Place]] = field(default_factory=list)
    loose: list[type[Saga]] = field(default_factory=list)
    whole: bool = True


def is_contract(cls: type) -> bool:
    """Whether a class is a contract: a direct subclass of `Contract`."""
    return Contract in cls.__bases__


def discover(application: Application, problems: Problems) -> Found:
    """Import what is named by strings and sort everything into services, APIs and mounted applications."""
    found = Found()
    for part in application.services:
        place = _listed(application, part)
        if isinstance(part, str):
            _search(part, found, place, problems)
        else:
            _sort(part, found, place, problems)
    found.whole = not len(problems)
    return found


def _listed(application: Application, part: object) -> Place:
    """The line on which a part is listed, as far as that can be seen."""
    file, first = application.place
    named = part.contract if isinstance(part, External) else part
    shown = part.name if isinstance(part, Mounted) else getattr(named, "__name__", repr(part))
    listing = rf"""["']{re.escape(part)}["']""" if isinstance(part, str) else rf"\b{re.escape(str(shown))}\b"
    linecache.checkcache(file)
    for number, line in enumerate(linecache.getlines(file)[first - 1 :], first):
        if re.search(listing, line):
            return file, number
    return file, first


def _sort(part: object, found: Found, place: Place, problems: Problems) -> None:
    if isinstance(part, Mounted):
        found.mounted.append((part, place))
    elif isinstance(part, External):
        _add_external(part, place, found)
    elif isinstance(part, type) and issubclass(part, Api) and part is not Api:
        _add(part, found.apis)
    elif isinstance(part, type) and issubclass(part, Contract):
        if is_contract(part) or part is Contract:
            remedy = f"List the class that implements it: `class {part.__name__}Service({part.__name__})`."
            problems.add(place, f"{part.__name__} is a contract, not a service.", remedy)
        else:
            _add(part, found.services)
    else:
        remedy = 'Give a service class, an Api class, a Mounted(…) or the name of a package such as "shop.orders".'
        problems.add(place, f"{getattr(part, '__name__', repr(part))} is not a part of an application.", remedy)


def _add(part: T, parts: list[T]) -> None:
    if part not in parts:
        parts.append(part)


def _add_external(part: External, place: Place, found: Found) -> None:
    if not any(part is one for one, _ in found.externals):
        found.externals.append((part, place))


def _add_mounted(part: Mounted, place: Place, found: Found) -> None:
    if not any(part is one for one, _ in found.mounted):
        found.mounted.append((part, place))


def _search(name: str, found: Found, place: Place, problems: Problems) -> None:
    mistakes, parts = len(problems), 0
    for module in _modules(name, place, problems):
        for variable, thing in list(vars(module).items()):
            if isinstance(thing, Mounted):
                parts += 1
                file = getattr(module, "__file__", None) or module.__name__
                _add_mounted(thing, (file, line_of(file, variable)), found)
            elif isinstance(thing, External):
                parts += 1
                file = getattr(module, "__file__", None) or module.__name__
                _add_external(thing, (file, line_of(file, variable)), found)
            elif isinstance(thing, type) and thing.__module__ == module.__name__:
                parts += _sort_class(thing, found)
    if not parts and len(problems) == mistakes:
        message = f"{name} has no service, no Api and no Mounted application in it."
        problems.add(place, message, "Add a subclass of a contract, or take the name out of the list of services.")


def _sort_class(cls: type, found: Found) -> bool:
    """Put a class where it belongs; True for a part of the application."""
    if issubclass(cls, Contract) and not is_contract(cls) and cls is not Contract:
        _add(cls, found.services)
    elif issubclass(cls, Api) and cls is not Api:
        _add(cls, found.apis)
    elif issubclass(cls, Saga) and cls is not Saga:
        _add(cls, found.loose)
        return False
    else:
        return False
    return True


def _modules(name: str, place: Place, problems: Problems) -> Iterator[ModuleType]:
    module = _import(name, place, problems)
    if module is None:
        return
    yield module
    for info in pkgutil.iter_modules(getattr(module, "__path__", ())):
        if info.name not in LEFT_OUT:
            yield from _modules(f"{name}.{info.name}", place, problems)


def _import(name: str, place: Place, problems: Problems) -> ModuleType | None:
    if not name or name.startswith("."):
        problems.add(place, f'"{name}" is no name of a module.', 'Write it from the package on, as in "shop.orders".')
        return None
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            message = f'There is no module "{name}": "{error.name}" cannot be found.'
            remedy = "Mend the name in the list of services, or run from the folder that contains the package."
            problems.add(place, message, remedy)
        else:
            message = f'{name} imports "{error.name}", which is not installed.'
            problems.add(_place(error, place), message, "Install it, or mend the import.")
    except SyntaxError as error:
        line = (error.filename, error.lineno or 1) if error.filename else place
        problems.add(line, f"{name} cannot be read: {error.msg}.", "Mend the syntax.")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a user's module raises is a finding, not our failure
        said = str(error).partition("\n")[0].rstrip(".")
        reason = f"{type(error).__name__}: {said}" if said else type(error).__name__
        problems.add(_place(error, place), f"{name} cannot be imported: {reason}.", "Mend what this line does.")
    return None


def _place(error: BaseException, place: Place) -> Place:
    """The innermost line of the user's own code that was running."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not is_library(frame.filename)]
    return (own[-1].filename, own[-1].lineno or 1) if own else place
