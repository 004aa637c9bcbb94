"""How a replica proves who it is, and how it knows who calls: the files that its assignment names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ramet.clock import Clock
from ramet.identity.tokens import Verifier, issuer_of, token_of
from ramet.model.topology import Assignment
from ramet.transport.base import Peer

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


def verification(application: str, deployment: str, keys: Path, clock: Clock) -> Verify:
    """What knows the holders of a deployment's tokens by its file of public keys. Raises: ConfigurationError."""
    verifier = Verifier(keys, issuer_of(application, deployment), clock=clock)

    def verify(token: bytes) -> Peer:
        found = verifier.replica(token)
        return Peer(name=found.name, may_call=found.may_call)

    return verify
