"""Reading the declarations: an `Application` becomes `Declared`, or a list of every mistake in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

from ramet.contract.application import Application
from ramet.contract.declared import Declared, DeclaredContract, DeclaredExternal
from ramet.contract.external import External
from ramet.contract.places import Place
from ramet.contract.problems import Problem, Problems
from ramet.contract.reading.agreement import check_agreement
from ramet.contract.reading.awaits import check_awaits
from ramet.contract.reading.contracts import read_contract
from ramet.contract.reading.discovery import discover, is_contract
from ramet.contract.reading.services import read_api, read_service
from ramet.contract.service import Contract
from ramet.errors import DeclarationError

C = TypeVar("C", bound=type[Any])
T = TypeVar("T")


def read(application: Application) -> Declared:
    """The application as declared.

    Raises: DeclarationError with every mistake, each with file, line and remedy.
    """
    declared, problems = examine(application)
    if problems:
        raise DeclarationError(problems)
    return declared


def examine(application: Application) -> tuple[Declared, tuple[Problem, ...]]:
    """The application as far as it can be understood, and every mistake in it."""
    problems, warnings = Problems(), Problems()
    found = discover(application, problems)
    contracts: dict[type[Contract], DeclaredContract] = {}

    def contract_of(cls: type[Contract]) -> DeclaredContract:
        if cls not in contracts:
            contracts[cls] = read_contract(cls, problems)
        return contracts[cls]

    services = [_guarded(cls, problems, lambda cls: read_service(cls, contract_of, problems)) for cls in found.services]
    apis = [_guarded(cls, problems, lambda cls: read_api(cls, problems)) for cls in found.apis]
    externals = [
        DeclaredExternal(contract=contract_of(one.contract), url=one.url, token=one.token)
        for one, place in found.externals
        if _is_answerable(one, place, problems)
    ]
    declared = Declared(
        name=application.name,
        contracts=(),
        services=tuple(service for service in services if service is not None),
        apis=tuple(api for api in apis if api is not None),
        mounted=tuple(mounted for mounted, _ in found.mounted),
        externals=tuple(externals),
        places=tuple(place for _, place in found.mounted),
    )
    for part in declared.parts():
        for cls in part.needs.contracts.values():
            _guarded(cls, problems, contract_of)
    declared = dataclasses.replace(declared, contracts=tuple(contracts.values()))
    check_agreement(declared, found, problems, warnings)
    check_awaits(declared, problems)
    return dataclasses.replace(declared, warnings=tuple(warnings)), tuple(problems)


def _is_answerable(external: External, place: Place, problems: Problems) -> bool:
    if isinstance(external.contract, type) and is_contract(external.contract):
        return True
    problems.add(place, f"External({external.contract!r}, …) does not name a contract.", "Give a contract's class.")
    return False


def _guarded(cls: C, problems: Problems, read_it: Callable[[C], T]) -> T | None:
    """What was read; None where a class is so odd that reading it fails, which is a mistake like any other."""
    try:
        return read_it(cls)
    except Exception as error:  # noqa: BLE001 - evaluating a user's class may raise anything
        reason = f"{type(error).__name__}: {error}".partition("\n")[0].rstrip(".")
        problems.add(cls, f"{cls.__name__} cannot be understood: {reason}.", "Compare it with docs/reference.")
        return None
