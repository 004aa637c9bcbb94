"""`ramet plan`: what will run where, what changes against what runs, and every mistake."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ramet.cli import output
from ramet.cli.application import configuration, declared
from ramet.cli.command import BAD_INPUT, Choices, command
from ramet.cli.plan_optimise import optimise as optimised
from ramet.errors import UsageError

if TYPE_CHECKING:
    from ramet.contract.declared import Declared
    from ramet.contract.problems import Problem
    from ramet.model.topology import Deployment
    from ramet.runtime.configuration import Configuration
    from ramet.runtime.operators.requests import Status
    from ramet.runtime.planning import Change, Placed, Placement


@command(
    ("ramet plan split", "the process groups of the deployment, and what would change"),
    ("ramet plan split --json", "the same for programs"),
    ("ramet plan split --optimise", "which services to run together, from live traffic"),
)
@click.argument("deployment", default="local")
@click.option("--optimise", is_flag=True, help="Propose which services to run together, from live traffic.")
@click.option(
    "--traffic",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Traffic that `ramet status --json` has written, instead of the running deployment's.",
)
def plan(choices: Choices, deployment: str, optimise: bool, traffic: Path | None) -> int:
    """Show what will run where, and what changes against what is running.

    Nothing is started and no database is opened. Exit code 2 when the deployment has mistakes.

    With --optimise: who calls whom, and how often, decides which services belong into one process.
    """
    from ramet.runtime.planning import changes, place
    from ramet.runtime.policies import said
    from ramet.runtime.supervisor.release import fingerprint

    found = configuration(choices)
    chosen = found.deployments.get(deployment) or found.deployment(deployment)
    application = declared(found)
    placement, problems = place(chosen, application, found.place)
    problems += _values_that_do_not_fit(found, chosen, application)
    if optimise:
        seen = _read(traffic) if traffic is not None else _status(found, chosen.data)
        if seen is None or not seen.running:
            raise UsageError(
                f"{chosen.name} does not run: start it, or give --traffic a file of `ramet status --json`."
            )
        return optimised(choices, chosen, application, placement, seen)
    if traffic is not None:
        raise UsageError("--traffic is for --optimise.")
    status = _status(found, chosen.data)
    version = fingerprint(found.folder)
    running = {one.name: one for one in status.groups} if status is not None else {}
    changed = changes(placement, running, version)
    if choices.json:
        output.document(
            _document(placement, changed, problems, version, is_running=status is not None) | {"policies": said(chosen)}
        )
        return BAD_INPUT if problems else 0
    _show(placement, changed, status)
    _show_policies(said(chosen))
    if problems:
        output.problems([str(problem) for problem in problems])
    return BAD_INPUT if problems else 0


def _values_that_do_not_fit(found: Configuration, chosen: Deployment, application: Declared) -> tuple[Problem, ...]:
    """Engines and settings that nothing could start with."""
    from ramet.runtime.configuration import engines_of_nowhere, settings_that_do_not_fit

    engines = engines_of_nowhere(found, chosen, os.environ)
    return tuple(sorted({*engines, *settings_that_do_not_fit(found, application, chosen.name, os.environ)}))


def _show_policies(policies: Mapping[str, Mapping[str, Any]]) -> None:
    for name, table in policies.items():
        values = ", ".join(f"{key} = {json.dumps(value)}" for key, value in table.items())
        output.say(f"  {output.paint(name, 'cyan')}: {values}")


def _status(found: Configuration, data: str) -> Status | None:
    from ramet.runtime.operators.remote import reach
    from ramet.runtime.operators.requests import GetStatus, Status

    with reach(found.folder / data) as remote:
        return None if remote is None else remote.ask(GetStatus(), Status)


def _read(file: Path) -> Status:
    """Raises: UsageError where a file is something else."""
    import msgspec

    from ramet.runtime.operators.requests import Status

    try:
        return msgspec.json.decode(file.read_bytes(), type=Status)
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise UsageError(f"{file} is not what `ramet status --json` writes: {error}.") from error


def _document(
    placement: Placement, changed: list[Change], problems: tuple[Problem, ...], version: str, *, is_running: bool
) -> dict[str, Any]:
    return {
        "placement": placement,
        "version": version,
        "running": is_running,
        "changes": changed,
        "problems": [dataclasses.asdict(problem) for problem in problems],
    }


def _show(placement: Placement, changed: list[Change], status: Status | None) -> None:
    output.say(
        f"{output.paint(placement.deployment, 'bold')} · storage {placement.storage} · broker {placement.broker}"
    )
    titles = ("group", "replicas", "hosts", "public address", "calls elsewhere")
    output.table(titles, [_row(group) for group in placement.groups])
    if status is None:
        name = "" if placement.deployment == "local" else f" {placement.deployment}"
        output.say(f"It does not run: `ramet up{name}` starts all of it.")
    elif not status.groups:
        output.say(f"It runs as one process, {status.pid}.")
    elif not changed:
        output.say("It runs like this.")
    for one in changed if status is not None and status.groups else ():
        output.say(f"  {output.paint(one.what.ljust(8), 'yellow')} {one.group}: {one.why}")


def _row(group: Placed) -> tuple[object, ...]:
    calls = ", ".join((*group.calls, *(f"{name} (outside)" for name in group.outside)))
    return (group.name, group.replicas, ", ".join(group.services), group.listen, calls or None)
