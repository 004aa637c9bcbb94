"""How a replica proves who it is, and how it knows who calls: the files that its assignment names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ramet.clock import Clock
from ramet.errors import ConfigurationError
from ramet.identity.certificates import AUTHORITY, files_of
from ramet.identity.tokens import Verifier, issuer_of, token_of
from ramet.model.topology import Assignment, Deployment
from ramet.transport.base import Peer
from ramet.transport.options import Tls

CERTIFICATES = "certificates"
Verify = Callable[[bytes], Peer]


class Credentials(NamedTuple):
    """`token` makes the proof for each new connection, `verify` a peer of somebody's; None each: unprotected."""

    token: Callable[[], bytes] | None = None
    verify: Verify | None = None


def credentials(application: str, assignment: Assignment, clock: Clock) -> Credentials:
    """Those of a replica. Raises: ConfigurationError where a file cannot be read."""
    if not (assignment.token and assignment.keys):
        return Credentials()
    verify = verification(application, assignment.deployment, Path(assignment.keys), clock)
    return Credentials(token=token_of(Path(assignment.token)), verify=verify)


def certified(deployment: Deployment, folder: Path, group: str) -> Tls | None:
    """The certificate of a process group, where the groups of a deployment speak TLS with each other.

    Both sides show theirs, signed by the deployment's authority. Raises: ConfigurationError where one is missing.
    """
    if not any(one.internal.startswith("tls:") for one in deployment.groups):
        return None
    own, authority = files_of(folder / CERTIFICATES, group), files_of(folder / CERTIFICATES, AUTHORITY)
    for file in (own.certificate, own.key, authority.certificate):
        if not file.exists():
            raise ConfigurationError(
                f"The groups of {deployment.name} speak TLS with each other, and there is no {file}: "
                f"make it with `ramet certs make {group} --host NAME -d {deployment.name}`."
            )
    return Tls(certificate=own.certificate, key=own.key, authority=authority.certificate)


def verification(application: str, deployment: str, keys: Path, clock: Clock) -> Verify:
    """What knows the holders of a deployment's tokens by its file of public keys. Raises: ConfigurationError."""
    verifier = Verifier(keys, issuer_of(application, deployment), clock=clock)

    def verify(token: bytes) -> Peer:
        found = verifier.replica(token)
        return Peer(name=found.name, may_call=found.may_call)

    return verify
