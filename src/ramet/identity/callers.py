"""Callers: the user whose identity a public API has established, signed so that other process groups can trust it.

A proof is signed by a group that hosts public parts, which alone have the key, and is carried along by whoever works on
the user's behalf: in calls, events and sagas. So no other group can invent or alter a user. It can show again what it
was shown, until the proof expires. Work that outlasts the request (sagas, handlers of events, and whom they call) may
show a proof for longer: `late`, which is derived from what a group hosts, and stands in its token.
"""

from __future__ import annotations

from pathlib import Path

from msgspec import convert

from ramet.clock import Clock
from ramet.identity.keys import PUBLIC, read_signing_key
from ramet.identity.tokens import CALLER, LEEWAY_SECONDS, Issuer, Verifier, understood
from ramet.telemetry.context import Caller

CALLER_SECONDS = 900.0
LATE_SECONDS = 30 * 86_400.0
"""For so long after a request its user's work may go on."""
SIGNED_LIMIT = 4096
FOLDER = "callers"
"""Beside the deployment's own keys: the key that signs callers, and the public ones that they are verified by."""


class CallerSigner:
    """Signs callers. A proof is used again for the same caller while half of its time is left."""

    def __init__(self, issuer: Issuer, *, clock: Clock, lifetime_seconds: float = CALLER_SECONDS) -> None:
        self._issuer = issuer
        self._time = clock.time
        self._lifetime = lifetime_seconds
        self._signed: dict[Caller, tuple[str, float]] = {}

    @classmethod
    def of(cls, folder: Path, issuer: str, *, clock: Clock) -> CallerSigner:
        """With the key in a folder. Raises: ConfigurationError where there is none that can be used."""
        return cls(Issuer(read_signing_key(folder), issuer, clock=clock), clock=clock)

    def __call__(self, caller: Caller) -> str:
        """The proof that a public part of this process has established this caller."""
        proof, good_until = self._signed.get(caller, ("", 0.0))
        now = self._time()
        if now < good_until:
            return proof
        claims = {"sub": caller.subject, "tenant": caller.tenant, "roles": sorted(caller.roles)}
        proof = self._issuer.sign(CALLER, claims, self._lifetime).decode()
        if len(self._signed) >= SIGNED_LIMIT:
            self._signed.clear()
        self._signed[caller] = proof, now + self._lifetime / 2
        return proof


class CallerVerifier:
    """Verifies proofs by the public keys of those who may sign them; the verdicts are kept, the expiry is checked."""

    def __init__(self, folder: Path, issuer: str, *, clock: Clock) -> None:
        self._verifier = Verifier(folder / PUBLIC, issuer, clock=clock)
        self._time = clock.time
        self._known: dict[str, tuple[Caller, float]] = {}

    def __call__(self, proof: str, *, late: bool = False) -> Caller:
        """Whom a proof is of; `late`: for work that may go on after the request. Raises: Unauthenticated."""
        grace = LATE_SECONDS if late else LEEWAY_SECONDS
        known = self._known.get(proof)
        if known is not None and self._time() < known[1] + grace:
            return known[0]
        claims = self._verifier.claims(CALLER, proof.encode("utf-8", "replace"), grace=grace)
        with understood():
            tenant, roles = convert(claims["tenant"], str | None), convert(claims["roles"], frozenset[str])
        caller = Caller(subject=claims["sub"], tenant=tenant, roles=roles)
        if len(self._known) >= SIGNED_LIMIT:
            self._known.clear()
        self._known[proof] = caller, claims["exp"]
        return caller
