"""`ramet db check`: whether the migrations lead to the declared tables, and whom they harm on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ramet.cli import output
from ramet.cli.application import configuration, declared, run
from ramet.cli.command import FOUND, Choices, command, deployment_option
from ramet.errors import StorageError

if TYPE_CHECKING:
    from ramet.contract.declared import DeclaredService
    from ramet.runtime.migrating import Databases, Difference
    from ramet.storage.hazards import Hazard

any_service_argument = click.argument("service", required=False)


@command(
    ("ramet db check", "in a pipeline: do the migrations lead to the tables in the code?"),
    ("ramet db check orders --database", "compare with the database as it is"),
    ("ramet db check --hazards", "and does one lock a table, or break the running version?"),
)
@any_service_argument
@deployment_option
@click.option("--database", is_flag=True, help="Compare with the database as it is.")
@click.option("--hazards", is_flag=True, help="Name what harms those who work meanwhile; always on PostgreSQL.")
def check(choices: Choices, service: str | None, deployment: str, database: bool, hazards: bool) -> int:
    """See whether the migrations lead to the tables in the code, and whom they harm on the way.

    They are tried on temporary databases. With --hazards, and always for a deployment on PostgreSQL, the migrations
    that are pending there (all of them where it cannot be asked) are read for statements that lock tables or break the
    version that still runs. A line that ends in `# assured: REASON` is taken for harmless. Exit code 1 for findings.
    """
    databases = databases_of(choices, deployment)
    chosen = list(databases.chosen(service))
    different = [one for one in run(_compared(databases, chosen, database=database)) if one.lines]
    reading = chosen if hazards or databases.on_a_server else ()
    harmful = {one.name: found for one in reading if (found := _hazards(databases, one))}
    if choices.json:
        output.document({"differences": different, "hazards": harmful})
    elif not different and not harmful:
        output.say("The tables are what the code declares." + (" The migrations harm nobody." if reading else ""))
    else:
        lines = [f"{one.service}: {line}" for one in different for line in one.lines]
        output.say("\n".join(lines + [f"{name}: {hazard}" for name, found in harmful.items() for hazard in found]))
        if not database and (begin := _without_migrations(chosen)):
            what = f"`ramet db revision {begin[0]} -m first` writes a first one"
            output.note(f"Without migrations: {', '.join(begin)}. {what}; --database compares the database instead.")
    return FOUND if different or harmful else 0


def databases_of(choices: Choices, deployment: str) -> Databases:
    """The databases of a deployment."""
    from ramet.runtime.migrating import Databases

    found = configuration(choices)
    chosen = found.deployment(deployment)
    return Databases(declared(found), found, chosen)


async def _compared(databases: Databases, chosen: list[DeclaredService], *, database: bool) -> list[Difference]:
    found = []
    for number, one in enumerate(chosen, 1):
        with output.progress(f"Comparing {one.name} [{number}/{len(chosen)}]"):
            found.append(await databases.check(one, database=database))
    return found


def _without_migrations(chosen: list[DeclaredService]) -> list[str]:
    from ramet.runtime.migrating import folder_of
    from ramet.storage.revisions import revisions

    return [one.name for one in chosen if not revisions(folder_of(one))]


def _hazards(databases: Databases, service: DeclaredService) -> tuple[Hazard, ...]:
    from ramet.runtime.migrating import folder_of
    from ramet.storage.hazards import hazards
    from ramet.storage.offline import statements
    from ramet.storage.revisions import revisions

    folder = folder_of(service)
    wanted = revisions(folder)
    try:
        pending = run(databases.status(service)).pending if databases.on_a_server else wanted
    except StorageError:
        pending = wanted
    return hazards(statements(folder, pending))
