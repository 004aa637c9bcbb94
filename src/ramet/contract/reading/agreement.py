"""What the parts of an application must agree on: one owner, one provider, an order in which to start."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from ramet.contract.declared import Declared
from ramet.contract.problems import Problems
from ramet.contract.reading.discovery import Found, is_contract
from ramet.contract.reading.routes import PLACE, resolve_routes
from ramet.contract.saga import Saga, saga_declaration
from ramet.contract.service import Contract
from ramet.contract.struct import Event

INTERFACES = ("auto", "asgi", "wsgi")
PLACE_OF_APP = re.compile(r"\w+(\.\w+)*:\w+(\.\w+)*(\(\))?")


def check_agreement(declared: Declared, found: Found, problems: Problems, warnings: Problems) -> None:
    """Report what one part says and another contradicts.

    Where a part could not be read, what is missing is not reported once more by everybody who needs it.
    """
    _check_names(declared, problems)
    if found.whole:
        _check_providers(declared, problems)
        _check_events(declared, problems)
    _check_sagas(declared, found.loose, problems)
    _check_startup(declared, problems, warnings)
    _check_mounted(declared, problems)
    _check_routes(declared, problems)


def _check_names(declared: Declared, problems: Problems) -> None:
    names: dict[str, type] = {}
    for contract in declared.contracts:
        first = names.setdefault(contract.name, contract.cls)
        if first is not contract.cls:
            message = f'The contracts {first.__name__} and {contract.cls.__name__} are both called "{contract.name}".'
            remedy = f'Give one a name of its own: `class {contract.cls.__name__}(Contract, name="…")`.'
            problems.add(contract.cls, message, remedy)
    for api in declared.apis:
        if names.setdefault(api.name, api.cls) is not api.cls:
            remedy = f'Give it one of its own: `class {api.cls.__name__}(Api, name="…")`.'
            problems.add(api.cls, f'The name "{api.name}" of {api.cls.__name__} is taken.', remedy)
    taken = set(names)
    for mounted, place in zip(declared.mounted, declared.places, strict=True):
        if mounted.name in taken:
            message = f'The name "{mounted.name}" of a mounted application is taken.'
            problems.add(place, message, "Give it one of its own.")
        taken.add(mounted.name)


def _check_providers(declared: Declared, problems: Problems) -> None:
    providers: dict[type[Contract], list[type]] = defaultdict(list)
    for service in declared.services:
        providers[service.contract.cls].append(service.cls)
    for external in declared.externals:
        providers[external.contract.cls].append(external.contract.cls)
    for contract, classes in providers.items():
        for extra in classes[1:]:
            names = " and ".join(one.__name__ for one in classes)
            message = f"The contract {contract.__name__} is implemented by {names}."
            problems.add(extra, message, "Keep one of them in the application.")
    for part in declared.parts():
        for name, contract in part.needs.contracts.items():
            if contract not in providers:
                message = f"{part.cls.__name__}.{name} depends on {contract.__name__}, which no service implements."
                remedy = f"Add the service that implements {contract.__name__} to the list of services."
                problems.add(part.cls, message, remedy, word=name)


def _check_events(declared: Declared, problems: Problems) -> None:
    owners: dict[type[Event], list[str]] = defaultdict(list)
    for contract in declared.contracts:
        for event in contract.events:
            owners[event].append(contract.cls.__name__)
    for event, names in owners.items():
        if len(names) > 1:
            message = f"The event {event.__name__} has {len(names)} owners: {' and '.join(names)}."
            problems.add(event, message, "Let one contract publish it; the others publish events of their own.")
    for cls, name, event in _awaited(declared):
        if is_event(event) and event not in owners:
            verb = "waits for" if issubclass(cls, Saga) else "handles"
            message = f"{cls.__name__}.{name} {verb} {event.__name__}, which no contract publishes."
            if (owner := _declared_beside(event)) is not None:
                message = f"{cls.__name__}.{name} {verb} {event.__name__} of {owner}, which no service implements."
                remedy = f"Add the service that implements {owner} to the list of services."
            else:
                owns = f"`class …(Contract, publishes=({event.__name__},))`"
                remedy = f"Name it in its contract, {owns}, and list that service."
            problems.add(getattr(cls, name, cls), message, remedy)


def _awaited(declared: Declared) -> Iterator[tuple[type, str, type[Event]]]:
    for service in declared.services:
        for handler in service.handlers:
            yield service.cls, handler.name, handler.mark.event
        for saga in service.sagas:
            for step in saga_declaration(saga.cls)[0].steps:
                if step.event is not None:
                    yield saga.cls, step.name, step.event


def _declared_beside(event: type[Event]) -> str | None:
    """The contract that would own an event, for it is declared in the same module, if only it were listed."""
    module = vars(sys.modules.get(event.__module__, sys))
    beside = [one for one in module.values() if isinstance(one, type) and one.__module__ == event.__module__]
    contracts = [one for one in beside if issubclass(one, Contract) and is_contract(one)]
    return next((one.__name__ for one in contracts if one.__ramet_line__.publishes is None), None)


def is_event(thing: object) -> bool:
    """Whether it is the class of an event."""
    return isinstance(thing, type) and issubclass(thing, Event) and thing is not Event


def _check_sagas(declared: Declared, loose: Sequence[type[Saga]], problems: Problems) -> None:
    owners: dict[type[Saga], list[str]] = defaultdict(list)
    for service in declared.services:
        names: dict[str, type[Saga]] = {}
        for saga in service.sagas:
            owners[saga.cls].append(service.cls.__name__)
            if names.setdefault(saga.cls.__name__, saga.cls) is not saga.cls:
                message = f"{service.cls.__name__} lists two different sagas called {saga.cls.__name__}."
                problems.add(service.cls, message, "Give one another name: they are kept by it.", word="sagas")
    for cls, services in owners.items():
        if len(services) > 1:
            message = f"The saga {cls.__name__} is listed by {' and '.join(services)}."
            problems.add(cls, message, "Let one service start it.")
    for cls in loose:
        if cls not in owners and not any(issubclass(one, cls) for one in owners):
            remedy = f"List it where it is started: `class …Service(…, sagas=({cls.__name__},))`."
            problems.add(cls, f"The saga {cls.__name__} belongs to no service.", remedy)


def _check_startup(declared: Declared, problems: Problems, warnings: Problems) -> None:
    by_contract = {service.contract.cls: service for service in declared.services}
    needs = {
        service.name: [by_contract[cls].name for cls in service.needs.contracts.values() if cls in by_contract]
        for service in declared.services
    }
    for circle in circles(needs):
        members = [service for service in declared.services if service.name in circle]
        eager = [service for service in members if service.cls.startup is not Contract.startup]
        path = " → ".join((*circle, circle[0]))
        if len(circle) == 1:
            continue  # reported as a service that depends on its own contract
        if eager:
            message = f"These services wait for each other to start: {path}."
            remedy = (
                f"Remove startup() from {eager[0].cls.__name__}, "
                "or let one of them learn by an event what it asks for now."
            )
            problems.add(eager[0].cls.startup, message, remedy)
        else:
            message = f"These services call each other in a circle: {path}."
            warnings.add(members[0].cls, message, "An event would break it.")


def circles(needs: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """The groups of names that need each other, each once, in the order of the names."""
    reach: dict[str, set[str]] = {}
    for start in needs:
        seen: set[str] = set()
        waiting = list(needs[start])
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting += needs.get(name, ())
        reach[start] = seen
    groups: list[tuple[str, ...]] = []
    for name in needs:
        if name in reach[name] and not any(name in group for group in groups):
            groups.append(tuple(other for other in needs if other in reach[name] and name in reach[other]))
    return groups


def _check_mounted(declared: Declared, problems: Problems) -> None:
    taken: dict[str, str] = {}
    for mounted, place in zip(declared.mounted, declared.places, strict=True):
        first = taken.setdefault(mounted.prefix, mounted.name)
        if first != mounted.name:
            message = f'{first} and {mounted.name} are both mounted at "{mounted.prefix}".'
            problems.add(place, message, "Give one of them another prefix.")
        if not str(mounted.prefix).startswith("/"):
            message = f'{mounted.name} is mounted at "{mounted.prefix}".'
            problems.add(place, message, f'A prefix begins with a slash: "/{mounted.prefix}".')
        if mounted.interface not in INTERFACES:
            message = f'{mounted.name} has the interface "{mounted.interface}".'
            problems.add(place, message, 'It is "auto", "asgi" or "wsgi".')
        if isinstance(mounted.app, str) and not PLACE_OF_APP.fullmatch(mounted.app):
            message = f'{mounted.name} is found at "{mounted.app}".'
            problems.add(place, message, 'Write "package.module:name", or "package.module:make()".')


def _check_routes(declared: Declared, problems: Problems) -> None:
    answered: dict[tuple[str, str], tuple[type, str]] = {}
    for api in declared.apis:
        for route in resolve_routes(api.cls)[0]:
            at = (route.method, PLACE.sub("{}", route.path))
            cls, name = answered.setdefault(at, (api.cls, route.name))
            if cls is not api.cls:
                message = (
                    f"{api.cls.__name__}.{route.name} answers {route.method} {route.path}, "
                    f"and so does {cls.__name__}.{name}."
                )
                problems.add(route.declaration.function, message, "Give one of the APIs another prefix.")
