"""Stand-ins for the neighbours of what is tested."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from ramet.contract.application import Application, Part
from ramet.contract.problems import Problems
from ramet.contract.reading.application import examine
from ramet.contract.reading.discovery import discover, is_contract
from ramet.contract.service import Contract, MethodMark, mark_of
from ramet.contract.struct import Event
from ramet.errors import UsageError


class NotFaked(UsageError):
    """A neighbour was called that the test has not replaced by a fake."""


def contract_of(cls: type[Contract]) -> type[Contract]:
    """The contract that a service, or a fake, implements."""
    return next(base for base in cls.__mro__ if base is not Contract and is_contract(base))


def with_fakes(application: Application, fakes: Sequence[type[Contract]]) -> Application:
    """The same application with these services in the place of those that implement the same contracts.

    A fake implements what the test needs; calling anything else of its contract raises `NotFaked`.
    """
    if not fakes:
        return application
    fakes = [_completed(fake) for fake in fakes]
    faked = {contract_of(fake) for fake in fakes}
    found = discover(application, Problems())
    kept = [service for service in found.services if contract_of(service) not in faked]
    outside = [external for external, _ in found.externals if external.contract not in faked]
    parts: list[Part] = [*kept, *fakes, *found.apis, *(mounted for mounted, _ in found.mounted), *outside]
    return Application(application.name, services=parts, place=application.place)


def with_stubs(application: Application) -> Application:
    """The same application with a stand-in for every contract that nobody implements; calling one raises `NotFaked`."""
    declared, _ = examine(application)
    provided = {service.contract.cls for service in declared.services}
    provided |= {external.contract.cls for external in declared.externals}
    wanted = [cls for part in declared.parts() for cls in part.needs.contracts.values()]
    for service in declared.services:
        wanted += [owner for handler in service.handlers if (owner := _owner(handler.mark.event)) is not None]
    missing = [cls for cls in dict.fromkeys(wanted) if cls not in provided]
    if not missing:
        return application
    parts: list[Part] = [*application.services, *(_stub(cls) for cls in missing)]
    return Application(application.name, services=parts, place=application.place)


def _owner(event: type[Event]) -> type[Contract] | None:
    """The contract that publishes an event, looked for where the event is declared."""
    module = sys.modules.get(event.__module__)
    for thing in vars(module).values() if module else ():
        if isinstance(thing, type) and issubclass(thing, Contract) and is_contract(thing):
            listed = thing.__ramet_line__.publishes
            if (listed is None and thing.__module__ == event.__module__) or event in (listed or ()):
                return thing
    return None


def _stub(contract: type[Contract]) -> type[Contract]:
    return _completed(type(f"Stub{contract.__name__}", (contract,), {}))


def _completed(fake: type[Contract]) -> type[Contract]:
    """The fake, with a method that refuses for each that it leaves out of its contract."""
    contract = contract_of(fake)
    left_out = {
        name: _refusing(contract, name)
        for name, declared in vars(contract).items()
        if isinstance(mark_of(declared), MethodMark) and getattr(fake, name) is declared
    }
    return type(fake.__name__, (fake,), left_out) if left_out else fake


def _refusing(contract: type[Contract], name: str) -> Any:
    async def method(self: object, *_: Any, **__: Any) -> Any:  # noqa: ARG001 - as methods of contracts begin
        raise NotFaked(
            f"{contract.__name__}.{name} was called, but the test gives no fake for it: "
            f"pass `fakes=[…]` with a subclass of {contract.__name__} that implements it."
        )

    method.__name__ = name
    return method
