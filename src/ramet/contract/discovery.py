"""Finding what an application consists of: classes as given, or everything that a package holds."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
import traceback
from dataclasses import dataclass, field
from types import ModuleType

from ramet.contract.api import Api
from ramet.contract.application import Application
from ramet.contract.mounted import Mounted
from ramet.contract.problems import Problems
from ramet.contract.saga import Saga
from ramet.contract.service import Contract

LEFT_OUT = frozenset({"migrations", "tests", "__main__", "conftest"})


@dataclass(slots=True)
class Found:
    """The parts of an application, in order; `loose` are sagas seen in the packages, listed by a service or not."""

    services: list[type[Contract]] = field(default_factory=list)
    apis: list[type[Api]] = field(default_factory=list)
    mounted: list[Mounted] = field(default_factory=list)
    loose: list[type[Saga]] = field(default_factory=list)


def is_contract(cls: type) -> bool:
    """Whether a class is a contract: a direct subclass of `Contract`."""
    return Contract in cls.__bases__


def discover(application: Application, problems: Problems) -> Found:
    """Import what is named by strings and sort everything into services, APIs and mounted applications."""
    found = Found()
    for part in application.services:
        if isinstance(part, str):
            _search(part, found, problems)
        else:
            _sort(part, found, problems)
    return found


def _sort(part: object, found: Found, problems: Problems) -> None:
    if isinstance(part, Mounted):
        found.mounted.append(part)
    elif isinstance(part, type) and issubclass(part, Api):
        found.apis.append(part)
    elif isinstance(part, type) and issubclass(part, Contract):
        if is_contract(part) or part is Contract:
            problems.add(
                part,
                f"{part.__name__} is a contract, not a service.",
                f"List the class that implements it: `class {part.__name__}Service({part.__name__})`.",
            )
        else:
            found.services.append(part)
    else:
        problems.add(
            ("ramet.toml", 1),
            f"{part!r} is not a part of an application.",
            'Give a service class, an Api class, a Mounted(…) or the name of a package such as "shop.orders".',
        )


def _search(name: str, found: Found, problems: Problems) -> None:
    before = len(found.services) + len(found.apis) + len(found.mounted)
    mistakes = len(problems)
    for module in _modules(name, problems):
        for thing in vars(module).values():
            if isinstance(thing, Mounted) and thing not in found.mounted:
                found.mounted.append(thing)
            elif isinstance(thing, type) and thing.__module__ == module.__name__:
                _sort_class(thing, found)
    if before == len(found.services) + len(found.apis) + len(found.mounted) and len(problems) == mistakes:
        problems.add(
            (getattr(sys.modules.get(name), "__file__", None) or name, 1),
            f"{name} has no service, no Api and no Mounted application in it.",
            "Add a subclass of a contract, or take the name out of the list of services.",
        )


def _sort_class(cls: type, found: Found) -> None:
    if issubclass(cls, Contract) and not is_contract(cls) and cls not in found.services:
        found.services.append(cls)
    elif issubclass(cls, Api) and cls not in found.apis:
        found.apis.append(cls)
    elif issubclass(cls, Saga) and cls not in found.loose:
        found.loose.append(cls)


def _modules(name: str, problems: Problems) -> list[ModuleType]:
    module = _import(name, problems)
    if module is None:
        return []
    modules = [module]
    for info in pkgutil.iter_modules(getattr(module, "__path__", ())):
        if info.name not in LEFT_OUT:
            modules += _modules(f"{name}.{info.name}", problems)
    return modules


def _import(name: str, problems: Problems) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            problems.add(
                ("ramet.toml", 1),
                f'There is no module "{name}": "{error.name}" cannot be found.',
                "Mend the name in the list of services, or run from the folder that contains the package.",
            )
        else:
            problems.add(_place(error), f'{name} imports "{error.name}", which is not installed.', "Install it, or mend the import.")
    except SyntaxError as error:
        problems.add((error.filename or name, error.lineno or 1), f"{name} cannot be read: {error.msg}.", "Mend the syntax.")
    except Exception as error:  # noqa: BLE001 - whatever a user's module raises is a finding, not our failure
        problems.add(_place(error), f"{name} cannot be imported: {type(error).__name__}: {error}.", "")
    return None


def _place(error: BaseException) -> tuple[str, int]:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "importlib" not in frame.filename and not _is_library(frame.filename)]
    frame = (own or list(frames))[-1]
    return frame.filename, frame.lineno or 1


def _is_library(filename: str) -> bool:
    return "site-packages" in filename or filename.startswith((sys.base_prefix, __file__.rpartition("contract")[0]))
