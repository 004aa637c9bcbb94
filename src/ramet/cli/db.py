"""`ramet db`: the migrations of every service's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ramet.cli import output
from ramet.cli.application import as_it_runs, configuration, declared, run
from ramet.cli.command import FOUND, Choices, command, deployment_option, group
from ramet.cli.migrations import any_service_argument, check, databases_of, enter, note_those_without
from ramet.cli.provisioning import check_entrance, provision

if TYPE_CHECKING:
    from ramet.runtime.migrating import Migrated
    from ramet.storage.migrations import Progress, Status

service_argument = click.argument("service")
AT_THEIR_START = "at their start they get the tables that are missing"


@command(
    ("ramet db migrate", "every service; `ramet up` does it by itself"),
    ("ramet db migrate orders", "one service"),
)
@any_service_argument
@deployment_option
def migrate(choices: Choices, service: str | None, deployment: str) -> None:
    """Apply what is pending, in one transaction for each service."""
    databases = databases_of(choices, deployment)
    enter(databases)

    def told(progress: Progress) -> None:
        output.note(f"  {progress.service} [{progress.done}/{progress.total}] {progress.revision.message}")

    async def work() -> list[Migrated]:
        return [await databases.migrate(one, told) for one in databases.chosen(service)]

    done = run(work())
    if choices.json:
        output.document(done)
        return
    applied = [f"{one.service}: {len(one.revisions)} applied" for one in done if one.revisions]
    output.say("\n".join(applied) or "Every database is up to date.")
    note_those_without(databases.chosen(service), AT_THEIR_START)


@command(('ramet db revision orders -m "add gift notes"', "after the tables were changed in the code"))
@service_argument
@click.option("--message", "-m", required=True, help="What it does, in a few words.")
@deployment_option
def revision(choices: Choices, service: str, message: str, deployment: str) -> None:
    """Write the next migration of a service.

    It is the difference between the tables in the code and what the migrations there are lead to. Read it before you
    commit it: a renamed column looks like one that went and one that came.
    """
    databases = databases_of(choices, deployment)
    with output.progress(f"Comparing {service}"):
        path = run(databases.revision(databases.chosen(service)[0], message))
    if choices.json:
        output.document({"written": str(path)})
    else:
        output.say(str(path))


@command(("ramet db status", "what is applied and what is pending"))
@any_service_argument
@deployment_option
def status(choices: Choices, service: str | None, deployment: str) -> int:
    """Show what is applied and what is pending.

    Exit code 1 when something is pending.
    """
    databases = databases_of(choices, deployment)
    enter(databases)

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
        note_those_without(databases.chosen(service), AT_THEIR_START)
    return FOUND if any(one.pending for one in found) else 0


@command(("ramet db adopt orders", "for a database that was made without migrations"))
@service_argument
@deployment_option
@click.option("--anyway", is_flag=True, help="Also where it is not what the code declares.")
def adopt(choices: Choices, service: str, deployment: str, anyway: bool) -> None:
    """Take a database for up to date that was made without migrations.

    It is compared with the tables in the code first.
    """
    databases = databases_of(choices, deployment)
    enter(databases)
    run(databases.adopt(databases.chosen(service)[0], anyway=anyway))
    if choices.json:
        output.document({"adopted": service})
    else:
        output.say(f"The database of {service} is taken to have every migration.")


@command(
    ("ramet db upgrade", "after an update of Ramet; whoever starts first does it by itself"),
    ("ramet db upgrade -d split", "before the replicas of a deployment are exchanged"),
)
@deployment_option
def upgrade(choices: Choices, deployment: str) -> None:
    """Bring Ramet's own tables up to date, in the database of every service.

    Those of a release before go on working meanwhile, unless a release says otherwise. A database whose tables are of a
    later release is refused.
    """
    from ramet.runtime.upgrading import upgrade as execute

    found = configuration(choices)
    chosen, application = as_it_runs(found, deployment), declared(found)
    run(check_entrance(found, chosen, application))
    with output.progress("Upgrading"):
        done = run(execute(application, found, chosen))
    if choices.json:
        output.document(done)
    elif not done:
        output.say("There is no database yet.")
    else:
        output.table(("service", "before", "now"), [(one.service, one.before, one.now) for one in done])


db = group(
    "db",
    "Tables: migrate, revision, status, check, adopt, provision, upgrade.",
    migrate,
    revision,
    status,
    check,
    adopt,
    provision,
    upgrade,
)
