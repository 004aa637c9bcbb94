"""`ramet scale`, `ramet restart`, `ramet stop`: the process groups of a deployment that runs."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ramet.cli import output
from ramet.cli.application import configuration, declared, run
from ramet.cli.command import Choices, command
from ramet.errors import DeclarationError, UsageError

if TYPE_CHECKING:
    from ramet.runtime.operators.requests import Request, Status

Told = Callable[[int, int], str]
"""What became of a group, told from how many replicas it had, and how many were changed."""
group_deployment_option = click.option(
    "--deployment", "-d", default=None, metavar="NAME", help="Which deployment; by default the one that runs as groups."
)


@command(
    ("ramet scale edge 4", "four replicas of the group"),
    ("ramet scale edge 0", "none, until it is scaled again"),
)
@click.argument("group")
@click.argument("replicas", type=click.IntRange(0, 1000))
@group_deployment_option
def scale(choices: Choices, group: str, replicas: int, deployment: str | None) -> None:
    """Have so many replicas of a process group.

    New ones are sent calls when they are ready; those that are too many finish what is in flight.
    """
    from ramet.runtime.supervisor.requests import ScaleGroup

    def scaled(before: int, changed: int) -> str:
        if not changed:
            return f"{output.counted(replicas, 'replica')}, as before"
        done = "started" if replicas > before else "stopped"
        return f"{output.counted(replicas, 'replica')}, {changed} {done}"

    _change(choices, deployment, group, ScaleGroup(group=group, replicas=replicas), scaled)


@command(
    ("ramet restart", "every group, one replica after the other, with the code as it is now"),
    ("ramet restart edge", "one group"),
    ("ramet restart edge --blue-green", "a whole new set, which takes over at once"),
)
@click.argument("group", required=False)
@click.option("--blue-green", is_flag=True, help="Start a full new set first, and switch to it at once.")
@group_deployment_option
def restart(choices: Choices, group: str | None, blue_green: bool, deployment: str | None) -> None:
    """Exchange the replicas of process groups for new ones.

    Nobody is refused meanwhile: an old replica ends when its successor is ready. Where a service keeps its data in an
    SQLite file, which one process opens, the old one ends first, and connections wait. Where ramet.toml places services
    otherwise than they run, nothing is exchanged.
    """
    from ramet.runtime.supervisor.requests import RestartGroups

    def restarted(before: int, changed: int) -> str:
        if not changed:
            return "scaled to 0 replicas, so none was exchanged: `ramet scale` starts some"
        return f"{output.counted(changed, 'replica')} {'exchanged' if before else 'started'}"

    _refuse_other_placement(choices, running(choices, deployment)[0])
    _change(choices, deployment, group, RestartGroups(group=group, blue_green=blue_green), restarted)


@command(
    ("ramet stop", "the whole deployment"),
    ("ramet stop edge", "one group, until it is restarted"),
)
@click.argument("group", required=False)
@group_deployment_option
def stop(choices: Choices, group: str | None, deployment: str | None) -> None:
    """End a deployment, or one process group of it, once what is in flight is finished."""
    from ramet.runtime.supervisor.requests import StopAll, StopGroup

    def stopped(_before: int, changed: int) -> str:
        return f"{output.counted(changed, 'replica')} stopped"

    found, data = running(choices, deployment)
    if group is None and not found.groups:
        assert found.pid is not None
        os.kill(found.pid, signal.SIGTERM)
    else:
        request = StopAll() if group is None else StopGroup(group=group)
        _change(choices, found.deployment, group, request, stopped)
    if group is None:
        with output.progress("Waiting for its end"):
            run(_gone(data))


def running(choices: Choices, deployment: str | None) -> tuple[Status, Path]:
    """How a deployment is that runs, and its data folder; without a name the first that does, those with groups first.

    Raises: UsageError where none runs.
    """
    from ramet.runtime.operators.remote import reach
    from ramet.runtime.operators.requests import GetStatus, Status

    found = configuration(choices)
    if deployment is not None:
        found.deployment(deployment)
    wanted = [one for name, one in found.deployments.items() if deployment in (None, name)]
    for one in sorted(wanted, key=lambda each: not each.groups):
        data = found.folder / one.data
        with reach(data) as remote:
            if remote is not None:
                return remote.ask(GetStatus(), Status), data
    which = f'The deployment "{deployment}" does not run' if deployment else "No deployment runs"
    raise UsageError(f"{which}: `ramet up {deployment or 'NAME'}` starts it.")


def _refuse_other_placement(choices: Choices, found: Status) -> None:
    """Raises: UsageError where what runs is placed otherwise than the file says, which no restart can carry out."""
    from ramet.runtime.planning import MOVES, changes, place

    chosen = configuration(choices)
    try:
        application = declared(chosen)
    except DeclarationError:  # which the new replicas tell
        return
    placement, _ = place(chosen.deployments[found.deployment], application, chosen.place)
    moved = [one for one in changes(placement, {one.name: one for one in found.groups}, "") if one.what in MOVES]
    if found.groups and moved:
        what = "; ".join(f"{one.group}: {one.what}, {one.why}" for one in moved)
        raise UsageError(
            f"Nothing was exchanged, because ramet.toml places services otherwise than they run ({what}): "
            f"`ramet stop -d {found.deployment}` and `ramet up {found.deployment}` carry that out."
        )


def _change(choices: Choices, deployment: str | None, group: str | None, request: Request, told: Told) -> None:
    from ramet.runtime.operators.remote import reach
    from ramet.runtime.supervisor.requests import GroupsChanged

    found, data = running(choices, deployment)
    if not found.groups:
        raise UsageError(f'The deployment "{found.deployment}" is one process: it has no groups.')
    names = [one.name for one in found.groups]
    if group is not None and group not in names:
        raise UsageError(f'There is no group "{group}" in {found.deployment}; there are {", ".join(names)}.')
    with reach(data) as remote:
        if remote is None:
            raise UsageError(f'The deployment "{found.deployment}" has just ended.')
        with output.progress("Waiting"):
            changed = remote.ask(request, GroupsChanged)
    if choices.json:
        output.document(changed)
        return
    before = {one.name: len(one.replicas) for one in found.groups}
    for name, count in changed.groups.items():
        output.say(f"{name}: {told(before.get(name, 0), count)}")


async def _gone(data: Path) -> None:
    from ramet.clock import SystemClock
    from ramet.runtime.operators.remote import reach

    while True:
        with reach(data) as remote:
            if remote is None:
                return
        await SystemClock().sleep(0.05)
