"""Whether PostgreSQL lets every service in: asked before anything of a deployment is started."""

from __future__ import annotations

import os
from pathlib import Path

from ramet.contract.declared import Declared
from ramet.errors import ConfigurationError
from ramet.model.topology import Deployment
from ramet.runtime.configuration import FILE, Configuration
from ramet.runtime.wiring import SQLITE, logins


async def check_entrance(configuration: Configuration, deployment: Deployment, declared: Declared) -> None:
    """Log in once as each user that services are. Raises: ConfigurationError where one is not let in."""
    if deployment.storage == SQLITE:
        return
    from ramet.storage.entrance import closed

    login = logins(deployment, configuration.folder, declared)
    users = {login(one.name): one.name for one in reversed(declared.services)}
    for where, service in reversed(users.items()):
        if (found := await closed(where)) is not None:
            creates = f"{_provision(deployment)} creates it"
            remedy = creates if found.lacks_database else _password(configuration, deployment, service)
            raise ConfigurationError(f"PostgreSQL at {where.place} does not let {service} in ({found.why}): {remedy}.")


def _password(configuration: Configuration, deployment: Deployment, service: str) -> str:
    """Where the password is written that was refused, and what mends it."""
    from ramet.storage.provisioning import FILE as KEPT
    from ramet.storage.provisioning import passwords, variable

    kept = Path(deployment.data) / KEPT
    if variable(service) in os.environ:
        return f"its password is in {variable(service)}, and {_provision(deployment)} makes PostgreSQL take it"
    if service in passwords(configuration.folder / kept, (), {}):
        return f"its password is in {kept}, and {_provision(deployment)} makes PostgreSQL take it"
    _, line = configuration.place("deployment", deployment.name, "storage")
    return f"mend the user and the password of storage in {FILE}:{line}"


def _provision(deployment: Deployment) -> str:
    return f"`ramet db provision -d {deployment.name}`"
