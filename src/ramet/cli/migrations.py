"""`ramet db check`: whether the migrations lead to the declared tables, and whom they harm on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import click

from ramet.cli import output
from ramet.cli.application import as_it_runs, configuration, declared, run
from ramet.cli.command import FOUND, Choices, command, deployment_option
from ramet.cli.provisioning import check_entrance
from ramet.errors import ConfigurationError, StorageUnavailable, UsageError

if TYPE_CHECKING:
    from ramet.contract.declared import DeclaredService
    from ramet.runtime.migrating import Databases, Difference
    from ramet.storage.hazards.judging import Hazard
    from ramet.storage.migrations import Status
    from ramet.storage.revisions import Revision

    Revisions = Mapping[str, tuple[Revision, ...]]

any_service_argument = click.argument("service", required=False)
HARMLESS = "The migrations harm nobody."
NONE_PENDING = "No migration is pending."
HARMLESS_APART = "No migration harms anybody where those before it are deployed already."
APART = "Each migration was judged as if those before it were deployed already"
NOT_ON_A_SERVER = "SQLite files do not tell what is deployed on PostgreSQL."
NOTHING_APPLIED = "The databases have none of the migrations, so they do not tell what is deployed elsewhere."


class Reading(NamedTuple):
    """The migrations of each service that are read for hazards.

    They are those that are pending, and one transaction; or where `apart`, each is deployed by itself. `why` it is not
    known which are pending, if nobody has said so.
    """

    wanted: Revisions
    apart: bool = True
    why: str = ""

    @property
    def harmless(self) -> str:
        """What is said of them where no hazard was found."""
        if self.apart:
            return HARMLESS_APART
        return HARMLESS if any(self.wanted.values()) else NONE_PENDING

    @property
    def assumed(self) -> str:
        """What is taken for granted, in a sentence; "" where nothing is."""
        if not self.why:
            return f"{APART}." if self.apart else ""
        return f"{self.why} {APART}; --since REVISION leaves out those that are."


@command(
    ("ramet db check", "in a pipeline: do the migrations lead to the tables in the code?"),
    ("ramet db check orders --database", "compare with the database as it is"),
    ("ramet db check -d split", "and does what is pending there lock a table, or break the running version?"),
    ("ramet db check --since 1975ea83b712", "does what comes after it, whatever a database says?"),
)
@any_service_argument
@deployment_option
@click.option("--database", is_flag=True, help="Compare with the database as it is.")
@click.option("--hazards", is_flag=True, help="Name what harms those who work meanwhile; always on PostgreSQL.")
@click.option("--since", multiple=True, metavar="REVISION", help="Hazards of those after it; once for each service.")
def check(
    choices: Choices, service: str | None, deployment: str, database: bool, hazards: bool, since: tuple[str, ...]
) -> int:
    """See whether the migrations lead to the tables in the code, and whom they harm on the way.

    They are tried on temporary databases: SQLite files, or on the deployment's server where they say what only
    PostgreSQL understands. With --hazards, and always for a deployment on PostgreSQL, the migrations
    that are pending there are read for statements that lock tables or break the version that still runs. Where the
    databases cannot be asked, or have none, that is said, and each migration is judged as if those before it were
    deployed already, except those up to --since. A line that ends in `# assured: REASON` is taken for harmless. Exit
    code 1 for findings.
    """
    databases = databases_of(choices, deployment)
    if database:
        enter(databases)
    chosen = databases.chosen(service)
    different = [one for one in run(_compared(databases, chosen, database=database)) if one.lines]
    is_read = hazards or since or databases.on_a_server
    reading = _reading(databases, chosen, since) if is_read else None
    harmful = _hazards(chosen, reading) if reading is not None else {}
    assumed = reading.assumed if reading is not None else ""
    if choices.json:
        output.document({"differences": different, "hazards": harmful, "assumed": assumed})
        return FOUND if different or harmful else 0
    if assumed and not since:
        output.note(assumed)
    lines = [f"{one.service}: {line}" for one in different for line in one.lines]
    lines += [f"{name}: {hazard}" for name, found in harmful.items() for hazard in found]
    harmless = f" {reading.harmless}" if reading is not None else ""
    output.say("\n".join(lines) or f"The tables are what the code declares.{harmless}")
    if different and not database:
        note_those_without(chosen, "--database compares the database instead")
    return FOUND if lines else 0


def databases_of(choices: Choices, deployment: str) -> Databases:
    """The databases of a deployment, where it runs or would run."""
    from ramet.runtime.migrating import Databases

    found = configuration(choices)
    return Databases(declared(found), found, as_it_runs(found, deployment))


def enter(databases: Databases) -> None:
    """See that the services are let in. Raises: ConfigurationError with the command that mends it."""
    run(check_entrance(databases.configuration, databases.deployment, databases.declared))


def note_those_without(chosen: Sequence[DeclaredService], otherwise: str) -> None:
    """Say which services have no migrations, what writes them, and what there is for them otherwise."""
    from ramet.runtime.migrating import folder_of
    from ramet.storage.revisions import revisions

    if names := [one.name for one in chosen if not revisions(folder_of(one))]:
        what = f"`ramet db revision {names[0]} -m first` writes a first one"
        output.note(f"Without migrations: {', '.join(names)}. {what}; {otherwise}.")


async def _compared(databases: Databases, chosen: Sequence[DeclaredService], *, database: bool) -> list[Difference]:
    from ramet.runtime.migrating import Difference, Untried

    found = []
    for number, one in enumerate(chosen, 1):
        with output.progress(f"Comparing {one.name} [{number}/{len(chosen)}]"):
            try:
                found.append(await databases.check(one, database=database))
            except Untried as error:  # the hazards can be read all the same
                found.append(Difference(service=one.name, lines=(f"not compared. {error}",)))
    return found


def _reading(databases: Databases, chosen: Sequence[DeclaredService], since: Sequence[str]) -> Reading | None:
    """What is to be read; None where there is no migration at all."""
    from ramet.runtime.migrating import folder_of
    from ramet.storage.revisions import revisions

    known = {one.name: revisions(folder_of(one)) for one in chosen}
    if since:
        return Reading(_after(known, since))
    if not any(known.values()):
        return None
    if not databases.on_a_server:
        return Reading(known, why=NOT_ON_A_SERVER)
    try:
        status = {one.service: one for one in _asked(databases, chosen)}
    except (ConfigurationError, StorageUnavailable) as error:
        return Reading(known, why=str(error))
    if not any(one.applied for one in status.values()):
        return Reading(known, why=NOTHING_APPLIED)
    return Reading({name: one.pending for name, one in status.items()}, apart=False)


def _asked(databases: Databases, chosen: Sequence[DeclaredService]) -> list[Status]:
    """What is applied and pending. Raises: ConfigurationError, StorageUnavailable where that cannot be known."""
    from ramet.runtime.engines import obstacle

    if (away := run(obstacle(databases.deployment.storage))) is not None:
        raise StorageUnavailable(f"{away}.")
    enter(databases)
    return [run(databases.status(one)) for one in chosen]


def _after(known: Revisions, since: Sequence[str]) -> Revisions:
    """Those that come after one of these. Raises: UsageError where nobody has such a one."""
    from ramet.storage.revisions import unapplied

    ids = {name: {one.id for one in found} for name, found in known.items()}
    if strangers := [one for one in since if not any(one in its for its in ids.values())]:
        raise UsageError(f"No service has the migration {strangers[0]}: name one as its file does (`revision = …`).")
    return {name: unapplied(found, ids[name].intersection(since)) for name, found in known.items()}


def _hazards(chosen: Sequence[DeclaredService], reading: Reading) -> dict[str, tuple[Hazard, ...]]:
    from ramet.runtime.migrating import folder_of
    from ramet.storage.hazards.judging import hazards, hazards_one_by_one
    from ramet.storage.offline import statements

    judge = hazards_one_by_one if reading.apart else hazards
    each = {one.name: judge(statements(folder_of(one), reading.wanted.get(one.name, ()))) for one in chosen}
    return {name: found for name, found in each.items() if found}
