"""What the parts of an application must agree on: one owner, one provider, an order in which to start."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from ramet.contract.declared import Declared, DeclaredService, Needs
from ramet.contract.problems import Problems
from ramet.contract.saga import Saga, saga_declaration
from ramet.contract.service import Contract
from ramet.contract.struct import Event


def check_agreement(declared: Declared, loose: Sequence[type[Saga]], problems: Problems, warnings: Problems) -> None:
    """Report what one part says and another contradicts."""
    _check_names(declared, problems)
    _check_providers(declared, problems)
    _check_events(declared, problems)
    _check_sagas(declared, loose, problems)
    _check_startup(declared, problems, warnings)
    _check_prefixes(declared, problems)


def _check_names(declared: Declared, problems: Problems) -> None:
    for contract in declared.contracts:
        for other in declared.contracts:
            if other is not contract and other.name == contract.name:
                problems.add(
                    contract.cls,
                    f'Two contracts are called "{contract.name}": {contract.cls.__name__} and {other.cls.__name__}.',
                    f'Give one a name of its own: `class {contract.cls.__name__}(Contract, name="…")`.',
                )
    providers: dict[type[Contract], list[str]] = defaultdict(list)
    for service in declared.services:
        providers[service.contract.cls].append(service.cls.__name__)
    for service in declared.services:
        names = providers[service.contract.cls]
        if len(names) > 1:
            problems.add(
                service.cls,
                f"The contract {service.contract.cls.__name__} is implemented by {' and '.join(names)}.",
                "List one of them as a service.",
            )


def _parts(declared: Declared) -> Iterable[tuple[type, Needs]]:
    for part in (*declared.services, *declared.apis):
        yield part.cls, part.needs
    for service in declared.services:
        for saga in service.sagas:
            yield saga.cls, saga.needs


def _check_providers(declared: Declared, problems: Problems) -> None:
    provided = {service.contract.cls for service in declared.services}
    for cls, needs in _parts(declared):
        for name, contract in needs.contracts.items():
            if contract not in provided:
                problems.add(
                    cls,
                    f"{cls.__name__}.{name} depends on {contract.__name__}, which no service implements.",
                    f"Add the service that implements {contract.__name__} to the list of services.",
                    word=f"{name}:",
                )


def _check_events(declared: Declared, problems: Problems) -> None:
    owners: dict[type[Event], list[str]] = defaultdict(list)
    for contract in declared.contracts:
        for event in contract.events:
            owners[event].append(contract.cls.__name__)
    for event, names in owners.items():
        if len(names) > 1:
            problems.add(
                event,
                f"The event {event.__name__} has {len(names)} owners: {' and '.join(names)}.",
                "Let one contract publish it; the others publish events of their own.",
            )
    awaited = [(service.cls, handler.name, handler.mark.event) for service in declared.services for handler in service.handlers]
    awaited += [
        (saga.cls, step.name, step.event)
        for service in declared.services
        for saga in service.sagas
        for step in saga_declaration(saga.cls)[0].steps
        if step.event is not None
    ]
    for cls, name, event in awaited:
        if isinstance(event, type) and issubclass(event, Event) and event is not Event and event not in owners:
            problems.add(
                getattr(cls, name, cls),
                f"{cls.__name__}.{name} waits for {event.__name__}, which no contract publishes.",
                f"Name it in its contract: `class …(Contract, publishes=({event.__name__},))`, and list that service.",
            )


def _check_sagas(declared: Declared, loose: Sequence[type[Saga]], problems: Problems) -> None:
    owners: dict[type[Saga], list[DeclaredService]] = defaultdict(list)
    for service in declared.services:
        for saga in service.sagas:
            owners[saga.cls].append(service)
    for cls, services in owners.items():
        if len(services) > 1:
            names = " and ".join(service.cls.__name__ for service in services)
            problems.add(cls, f"The saga {cls.__name__} is listed by {names}.", "Let one service start it.")
    for cls in loose:
        if cls not in owners:
            problems.add(
                cls,
                f"The saga {cls.__name__} belongs to no service.",
                f"List it where it is started: `class …Service(…, sagas=({cls.__name__},))`.",
            )


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
        if eager:
            problems.add(
                eager[0].cls.startup,
                f"These services wait for each other to start: {path}.",
                f"Remove startup() from {eager[0].cls.__name__}, or let one of them learn by an event what it asks for now.",
            )
        else:
            warnings.add(members[0].cls, f"These services call each other in a circle: {path}.", "An event would break it.")


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


def _check_prefixes(declared: Declared, problems: Problems) -> None:
    taken: dict[str, str] = {}
    for mounted in declared.mounted:
        if mounted.prefix in taken:
            problems.add(
                ("ramet.toml", 1),
                f'{mounted.name} and {taken[mounted.prefix]} are both mounted at "{mounted.prefix}".',
                "Give one of them another prefix.",
            )
        taken[mounted.prefix] = mounted.name
