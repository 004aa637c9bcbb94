"""`ramet db`: the migrations of every service's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ramet.cli import output
from ramet.cli.application import configuration, declared, run
from ramet.cli.command import DEPLOYMENT, FOUND, Choices, command

if TYPE_CHECKING:
    from ramet.contract.declared import DeclaredService
    from ramet.runtime.migrating import Databases, Difference, Migrated
    from ramet.storage.migrations import Progress, Status

SERVICE = Annotated[str | None, typer.Argument(help="One service; all of them when left out.", metavar="SERVICE")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Tables: migrate, revision, status, check, adopt.", no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(group, name="db")
    command(
        group,
        ("ramet db migrate", "every service; `ramet up` does it by itself"),
        ("ramet db migrate orders", "one service"),
    )(migrate)
    command(group, ('ramet db revision orders -m "add gift notes"', "after the tables were changed in the code"))(revision)
    command(group, ("ramet db status", "what is applied and what is pending"))(status)
    command(
        group,
        ("ramet db check", "in a pipeline: do the migrations lead to the tables in the code?"),
        ("ramet db check orders --database", "compare with the database as it is"),
    )(check)
    command(group, ("ramet db adopt orders", "for a database that was made without migrations"))(adopt)


def migrate(choices: Choices, service: SERVICE = None, deployment: DEPLOYMENT = "local") -> None:
    """Apply what is pending, in one transaction for each service."""
    databases = _databases(choices, deployment)

    def told(progress: Progress) -> None:
        output.note(f"  {progress.service} [{progress.done}/{progress.total}] {progress.revision.message}")

    async def work() -> list[Migrated]:
        return [await databases.migrate(one, told) for one in databases.chosen(service)]

    done = run(work())
    if choices.json:
        output.document(done)
    elif not any(one.revisions for one in done):
        output.say("Every database is up to date.")
    else:
        output.say("\n".join(f"{one.service}: {len(one.revisions)} applied" for one in done if one.revisions))


def revision(
    choices: Choices,
    service: Annotated[str, typer.Argument(help="The service whose tables have changed.", metavar="SERVICE")],
    message: Annotated[str, typer.Option("--message", "-m", help="What it does, in a few words.")],
    deployment: DEPLOYMENT = "local",
) -> None:
    """Write the next migration from the difference between the code and the migrations there are.

    Read it before you commit it: a renamed column looks like one that went and one that came.
    """
    databases = _databases(choices, deployment)
    with output.progress(f"Comparing {service}"):
        path = run(databases.revision(databases.chosen(service)[0], message))
    if choices.json:
        output.document({"written": str(path)})
    else:
        output.say(str(path))


def status(choices: Choices, service: SERVICE = None, deployment: DEPLOYMENT = "local") -> int:
    """Show what is applied and what is pending. Exit code 1 when something is pending."""
    databases = _databases(choices, deployment, readonly=True)

    async def work() -> list[Status]:
        return [await databases.status(one) for one in databases.chosen(service)]

    found = run(work())
    if choices.json:
        output.document(found)
    else:
        rows = [
            (one.service, ", ".join(one.applied), ", ".join(f"{wanted.id} {wanted.message}" for wanted in one.pending))
            for one in found
        ]
        output.table(("service", "applied", "pending"), rows)
    return FOUND if any(one.pending for one in found) else 0


def check(
    choices: Choices,
    service: SERVICE = None,
    deployment: DEPLOYMENT = "local",
    database: Annotated[bool, typer.Option("--database", help="Compare with the database as it is.")] = False,
) -> int:
    """See whether the migrations lead to the tables that the code declares. Exit code 1 when they do not."""
    databases = _databases(choices, deployment)

    async def work(chosen: list[DeclaredService]) -> list[Difference]:
        found = []
        for number, one in enumerate(chosen, 1):
            with output.progress(f"Comparing {one.name} [{number}/{len(chosen)}]"):
                found.append(await databases.check(one, database=database))
        return found

    found = run(work(list(databases.chosen(service))))
    different = [one for one in found if one.lines]
    if choices.json:
        output.document(found)
    elif not different:
        output.say("The tables are what the code declares.")
    for one in different if not choices.json else ():
        output.say("\n".join(f"{one.service}: {line}" for line in one.lines))
    return FOUND if different else 0


def adopt(
    choices: Choices,
    service: Annotated[str, typer.Argument(help="The service.", metavar="SERVICE")],
    deployment: DEPLOYMENT = "local",
) -> None:
    """Note that a database which was made without migrations is up to date."""
    databases = _databases(choices, deployment)
    run(databases.adopt(databases.chosen(service)[0]))
    if choices.json:
        output.document({"adopted": service})
    else:
        output.say(f"The database of {service} is taken to have every migration.")


def _databases(choices: Choices, deployment: str, *, readonly: bool = False) -> Databases:
    from ramet.runtime.migrating import Databases
    from ramet.runtime.wiring import embedded

    found = configuration(choices)
    chosen = found.deployment(deployment)
    return Databases(declared(found), embedded(chosen, found.folder, readonly=readonly))
