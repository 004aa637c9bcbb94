"""Pure: a placement as the tables of ramet.toml, each group under the name that most of it has today."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ramet.advisor.placement.values import Groups, Judged, Part
from ramet.model.topology import EVERYTHING, Group


def fragment(deployment: str, judged: Judged, parts: Mapping[str, Part], today: Mapping[str, Group]) -> str:
    """What to put in the place of the `process` tables of a deployment. `today` are its groups, by what they host."""
    groups = tuple(process.services for process in judged.processes)
    names = named(groups, {member: group.name for member, group in today.items()})
    tables = []
    for process, name in zip(judged.processes, names, strict=True):
        hosts: object = list(process.services) if len(groups) > 1 else EVERYTHING
        lines = [f"[deployment.{deployment}.process.{name}]", f"services = {json.dumps(hosts)}"]
        lines += [f"replicas = {process.replicas}"] if process.replicas > 1 else []
        lines += ["isolated = true"] if any(parts[one].isolated for one in process.services) else []
        tables.append("\n".join(lines + kept(process.services, today)))
    return "\n\n".join(tables) + "\n"


def kept(services: tuple[str, ...], today: Mapping[str, Group]) -> list[str]:
    """What today's groups say of addresses and zones, where they that come together do not contradict each other."""
    lines = []
    for key in ("listen", "internal", "zone"):
        said = {getattr(today[name], key) for name in services if name in today} - {None, "", "unix"}
        if len(said) == 1:
            lines.append(f"{key} = {json.dumps(said.pop())}")
    return lines


def named(groups: Groups, today: Mapping[str, str]) -> tuple[str, ...]:
    """A name for each group: that of the group which most of its members are in today, else its first member's."""
    claims = [
        (-sum(today.get(one) == today[member] for one in group), number, at, today[member])
        for number, group in enumerate(groups)
        for at, member in enumerate(group)
        if member in today
    ]
    found: dict[int, str] = {}
    for _, number, _, name in sorted(claims):
        if number not in found and name not in found.values():
            found[number] = name
    for number, group in enumerate(groups):
        if number not in found:
            free = [member for member in group if member not in found.values()]
            found[number] = free[0] if free else f"{group[0]}-{number}"
    return tuple(found[number] for number in range(len(groups)))
