"""How a replica proves who it is, and how it knows who calls: the files that its assignment names."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from ramet.clock import Clock
from ramet.errors import ConfigurationError, Denied, Unauthenticated
from ramet.identity.callers import FOLDER as CALLERS
from ramet.identity.callers import CallerSigner, CallerVerifier
from ramet.identity.certificates import AUTHORITY, check, files_of
from ramet.identity.tokens import LEEWAY_SECONDS, Verifier, issuer_of, token_of
from ramet.model.topology import Assignment, Deployment
from ramet.telemetry.context import Believe, Caller, Context
from ramet.transport.base import Peer, Vouch
from ramet.transport.options import Tls
from ramet.transport.wire.messages import plain

CERTIFICATES = "certificates"
log = logging.getLogger("ramet.identity")
Verify = Callable[[bytes], Peer]


class Credentials(NamedTuple):
    """`token` makes the proof for each new connection, `verify` a peer of somebody's; None each: unprotected.

    `sign` makes the proof of a user whom a public part of this replica has established, `vouch` verifies those of
    calls, and `believe` those of events and of sagas that were begun some time ago.
    """

    token: Callable[[], bytes] | None = None
    verify: Verify | None = None
    sign: Callable[[Caller], str] | None = None
    vouch: Vouch | None = None
    believe: Believe | None = None


def credentials(application: str, assignment: Assignment, clock: Clock) -> Credentials:
    """Those of a replica. Raises: ConfigurationError where a file cannot be read, or its own token is not good."""
    if not (assignment.token or assignment.keys):
        return Credentials()
    if not (assignment.token and assignment.keys):
        raise ConfigurationError("A replica has a token, and keys to verify those of others by, or none of the two.")
    token = token_of(Path(assignment.token))
    verify = verification(application, assignment.deployment, Path(assignment.keys), clock)
    try:
        verify(token())
    except Unauthenticated as error:
        raise ConfigurationError(f"{assignment.token} would not be believed by others: {error}") from error
    folder, issuer = Path(assignment.keys).with_name(CALLERS), issuer_of(application, assignment.deployment)
    users = Users(CallerVerifier(folder, issuer, clock=clock))
    sign = CallerSigner.of(folder, issuer, clock=clock) if assignment.speaks_for_users else None
    return Credentials(token=token, verify=verify, sign=sign, vouch=users.vouch, believe=users.believe)


class Users:
    """On whose behalf work is done: only those count whom a public part of the application has established."""

    def __init__(self, verifier: CallerVerifier) -> None:
        self._verifier = verifier

    def vouch(self, context: Context, peer: Peer) -> Context:
        """As `Vouch`: without a good proof a call that speaks for somebody is denied."""
        if not context.proof:
            who = "a tenant" if context.caller is None else f"the user {plain(context.caller.subject)}"
            raise Denied(
                f"{peer.name} speaks for {who} without a proof, which public APIs sign for the users they know."
            )
        try:
            return self._proven(context, late=peer.works_late)
        except Unauthenticated as error:
            raise Denied(f"{peer.name} speaks for a user without a good proof: {error}") from error

    def believe(self, context: Context) -> Context:
        """As `Believe`: the work goes on, and without a good proof on nobody's behalf."""
        if context.caller is None and context.tenant is None and not context.proof:
            return context
        try:
            if context.proof:
                return self._proven(context, late=True)
            reason = "there is no proof"
        except Unauthenticated as error:
            reason = str(error)
        log.warning("The work %s goes on without its user: %s", context.trace, reason)
        return replace(context, caller=None, tenant=None, proof="")

    def _proven(self, context: Context, *, late: bool) -> Context:
        caller = self._verifier(context.proof, late=late)
        return replace(context, caller=caller, tenant=caller.tenant)


def certified(deployment: Deployment, folder: Path, group: str, clock: Clock) -> Tls | None:
    """The certificate of a process group, where the groups of a deployment speak TLS with each other.

    Both sides show theirs, signed by the deployment's authority.
    Raises: ConfigurationError where one is missing, or would not be believed.
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
    check(own.certificate, authority.certificate, clock.now())
    return Tls(certificate=own.certificate, key=own.key, authority=authority.certificate)


def verification(application: str, deployment: str, keys: Path, clock: Clock) -> Verify:
    """What knows the holders of a deployment's tokens by its file of public keys. Raises: ConfigurationError."""
    verifier = Verifier(keys, issuer_of(application, deployment), clock=clock)

    def verify(token: bytes) -> Peer:
        found = verifier.replica(token)
        return Peer(found.name, found.may_call, works_late=found.works_late, until=found.expires_at + LEEWAY_SECONDS)

    return verify
