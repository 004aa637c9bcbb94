"""`ramet db provision`: a database, in it a schema and a role for each service, and whether these are let in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ramet.cli import output
from ramet.cli.application import as_it_runs, configuration, declared, run
from ramet.cli.command import Choices, command, deployment_option
from ramet.errors import ConfigurationError

if TYPE_CHECKING:
    from ramet.contract.declared import Declared
    from ramet.model.topology import Deployment
    from ramet.runtime.configuration import Configuration
    from ramet.storage.address import Address


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
    from ramet.storage.provisioning import FILE, give_roles, keep, logins, script

    found = configuration(choices)
    chosen = as_it_runs(found, deployment)
    if chosen.storage == "sqlite":
        raise ConfigurationError(
            f'The deployment "{chosen.name}" has SQLite files, which need no roles: set '
            'storage = "postgresql://…" in ramet.toml, or name another deployment with -d.'
        )
    application = declared(found)
    server = address(referred(chosen.storage, os.environ))
    services = [service.name for service in application.services]
    file = found.folder / chosen.data / FILE
    if sql:
        wanted = logins(application.name, services, file, os.environ)
        keep(wanted, file, os.environ)
        output.say(script(server.database or application.name, wanted))
        return
    done = run(give_roles(application.name, services, server, file, os.environ))
    if choices.json:
        output.document(done)
    else:
        rows = [(one.service, one.database, one.schema, one.role) for one in done]
        output.table(("service", "database", "schema", "role"), rows)


async def check_entrance(configuration: Configuration, deployment: Deployment, application: Declared) -> None:
    """Log in once as each user that services are. Raises: ConfigurationError where one is not let in."""
    from ramet.runtime.wiring import SQLITE, logins

    if deployment.storage == SQLITE:
        return
    from ramet.storage.provisioning import closed

    login = logins(deployment, configuration.folder, application)
    users = {login(one.name): one.name for one in reversed(application.services)}
    for where, service in reversed(users.items()):
        if (found := await closed(where)) is not None:
            creates = f"{_provision(deployment)} creates it"
            remedy = creates if found.lacks_database else _password(configuration, deployment, service, where)
            who = f"{service} in as {where.user}" if where.user else f"{service} in"
            raise ConfigurationError(f"PostgreSQL at {where.place} does not let {who} ({found.why}): {remedy}.")


def _password(configuration: Configuration, deployment: Deployment, service: str, where: Address) -> str:
    """Where the password is written that was refused, and what mends it."""
    from ramet.storage.provisioning import FILE, passwords, variable

    kept = Path(deployment.data) / FILE
    is_given = variable(service) in os.environ
    if is_given or service in passwords(configuration.folder / kept, (), {}):
        place = variable(service) if is_given else kept
        return f"its password is in {place}, and {_provision(deployment)} makes PostgreSQL take it"
    _, line = configuration.place("deployment", deployment.name, "storage")
    written = f"storage in ramet.toml:{line}"
    if where.password is None and "PGPASSWORD" in os.environ:
        return f"mend PGPASSWORD, which counts where storage has no password, or {written}"
    kind, _, source = configuration.deployments[deployment.name].storage.partition(":")
    referred = {"env": f"the environment variable {source}", "file": source}.get(kind)
    of = f"of {written}" if referred is None else f"in {referred}, to which {written} refers"
    return f"mend the user and the password {of}"


def _provision(deployment: Deployment) -> str:
    return f"`ramet db provision -d {deployment.name}`"
