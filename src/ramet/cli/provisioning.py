"""`ramet db provision`: a database, and in it a schema and a role for each service."""

from __future__ import annotations

import os

import click

from ramet.cli import output
from ramet.cli.application import configuration, declared, run
from ramet.cli.command import Choices, command, deployment_option
from ramet.errors import ConfigurationError


@command(
    ("ramet db provision -d split", "before the first start, with a URL whose user may create roles"),
    ("ramet db provision -d split --sql | psql -h db", "for whoever may do it"),
)
@deployment_option
@click.option("--sql", is_flag=True, help="Print the statements for psql instead of executing them.")
def provision(choices: Choices, deployment: str, sql: bool) -> None:
    """Give each service a schema and a role of its own on PostgreSQL.

    A role owns its schema and sees no other. Passwords are made up and kept in the deployment's data folder, readable
    for its owner alone, unless RAMET_POSTGRESQL_<SERVICE> gives one. May be repeated.
    """
    from ramet.settings import referred
    from ramet.storage.address import address
    from ramet.storage.provisioning import FILE, keep, logins, script
    from ramet.storage.provisioning import provision as execute

    found = configuration(choices)
    chosen = found.deployment(deployment)
    if chosen.storage == "sqlite":
        raise ConfigurationError(
            f'The deployment "{chosen.name}" has SQLite files, which need no roles: set '
            'storage = "postgresql://…" in ramet.toml, or name another deployment with -d.'
        )
    application = declared(found)
    server = address(referred(chosen.storage, os.environ))
    database = server.database or application.name
    services = [service.name for service in application.services]
    file = found.folder / chosen.data / FILE
    wanted = logins(application.name, services, file, os.environ)
    done = [] if sql else run(execute(server, database, wanted))
    keep(wanted, file, os.environ)
    if sql:
        output.say(script(database, wanted))
    elif choices.json:
        output.document(done)
    else:
        rows = [(one.service, one.database, one.schema, one.role) for one in done]
        output.table(("service", "database", "schema", "role"), rows)
