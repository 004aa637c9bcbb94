"""Pure: which contracts each process group may call: exactly those that what it hosts declares to need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ramet.model.application import Application


def grants(application: Application, groups: Mapping[str, Sequence[str]]) -> dict[str, frozenset[str]]:
    """For each group, by the names of what it hosts, the names of contracts.

    Mounted applications declare nothing: a group that hosts one may call every contract.
    """
    needs = needed(application)
    return {group: frozenset().union(*(needs.get(host, ()) for host in hosts)) for group, hosts in groups.items()}


def working_late(application: Application, groups: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """The groups whose work may go on after the request that it began with: those that host sagas or handlers of
    events, and those that are called by them.
    """
    may_call = grants(application, groups)
    late = {one.name for one in application.services if one.sagas or one.subscribes}
    hosted = {one.contract: group for one in application.services for group in groups if one.name in groups[group]}
    found: set[str] = set()
    left = [group for group, hosts in groups.items() if late.intersection(hosts)]
    while left:
        group = left.pop()
        if group not in found:
            found.add(group)
            left += [hosted[contract] for contract in may_call[group] if contract in hosted]
    return frozenset(found)


def needed(application: Application) -> dict[str, frozenset[str]]:
    """For each service, API and mounted application the contracts that it may call."""
    everything = frozenset(contract.name for contract in application.contracts)
    found: dict[str, frozenset[str]] = {one.name: everything for one in application.mounted}
    for api in application.apis:
        found[api.name] = frozenset(api.depends_on)
    for service in application.services:
        found[service.name] = frozenset(service.depends_on).union(*(saga.depends_on for saga in service.sagas))
    return found


def denial(name: str, contract: str) -> str:
    """The sentence for somebody who may not call a contract."""
    return (
        f"{name} may not call {contract}: nothing that it hosts declares to need it. Annotate the service, saga or API "
        f"that calls it with the contract, and start the deployment again."
    )
