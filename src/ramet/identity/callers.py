"""Callers: the user whose identity a public API has established, signed so that other process groups can trust it."""

from __future__ import annotations

from ramet.identity.tokens import CALLER, Issuer, Verifier
from ramet.telemetry.context import Caller

CALLER_SECONDS = 900.0


def sign_caller(issuer: Issuer, caller: Caller, *, seconds: float = CALLER_SECONDS) -> bytes:
    """A token that says on whose behalf a call is made."""
    claims = {"sub": caller.subject, "tenant": caller.tenant, "roles": sorted(caller.roles)}
    return issuer.sign(CALLER, claims, seconds)


def verify_caller(verifier: Verifier, token: bytes) -> Caller:
    """On whose behalf a call is made. Raises: Unauthenticated with the reason."""
    claims = verifier.claims(CALLER, token)
    return Caller(subject=claims["sub"], tenant=claims.get("tenant"), roles=frozenset(claims.get("roles", ())))
