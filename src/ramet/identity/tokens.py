"""Tokens: who a replica is and what it may call, signed with Ed25519 and verified once for each connection."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from msgspec import convert

from ramet.clock import Clock
from ramet.errors import ConfigurationError, MissingExtra, Unauthenticated
from ramet.identity.keys import SigningKey, public_keys

try:
    import jwt
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError as error:
    raise MissingExtra("PyJWT", "processes", "Identity between processes") from error

DAY_SECONDS = 86_400.0
LEEWAY_SECONDS = 5.0
"""So far the clocks of two hosts may be apart."""
VERDICTS_LIMIT = 1024
TOKEN_LIMIT_BYTES = 32_768
log = logging.getLogger("ramet.identity")
ALGORITHM, REPLICA, CALLER = "EdDSA", "replica", "caller"


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Who a token speaks for: "group/replica", what it hosts, which contracts it may call, until when (epoch).

    `works_late`: what it hosts goes on after the request that it began with, and may speak for the user of that.
    """

    name: str
    may_call: frozenset[str]
    expires_at: float
    hosts: tuple[str, ...] = ()
    works_late: bool = False

    def may(self, contract: str) -> bool:
        """Whether it may call a contract."""
        return contract in self.may_call


def issuer_of(application: str, deployment: str) -> str:
    """What tokens of one deployment of an application are issued by."""
    return f"{application}/{deployment}"


class Issuer:
    """Signs tokens of one deployment."""

    def __init__(self, key: SigningKey, issuer: str, *, clock: Clock, lifetime_seconds: float = DAY_SECONDS) -> None:
        self._key = key
        self._issuer = issuer
        self._clock = clock
        self._lifetime = lifetime_seconds

    def replica(
        self, name: str, *, hosts: tuple[str, ...], may_call: frozenset[str], works_late: bool = False
    ) -> bytes:
        """The token of a replica, "group/replica"."""
        claims = {"sub": name, "hosts": list(hosts), "may_call": sorted(may_call), "late": works_late}
        return self.sign(REPLICA, claims, self._lifetime)

    def sign(self, kind: str, claims: Mapping[str, Any], seconds: float) -> bytes:
        """A token of a kind with these claims, valid for so long."""
        now = self._clock.time()
        everything = {**claims, "iss": self._issuer, "aud": kind, "iat": int(now), "exp": int(now + seconds)}
        return jwt.encode(everything, self._key.private, ALGORITHM, headers={"kid": self._key.id, "typ": kind}).encode()


class Verifier:
    """Verifies tokens of one deployment by its file of public keys, which is read again when an unknown key is met.

    Verdicts are kept by token; the expiry is checked each time.
    """

    def __init__(self, keys: Path, issuer: str, *, clock: Clock) -> None:
        self._path = keys
        self._issuer = issuer
        self._clock = clock
        self._keys: Mapping[str, Ed25519PublicKey] = public_keys(keys)
        self._stamp = _stamp(keys)
        self._verdicts: dict[tuple[str, bytes], dict[str, Any]] = {}

    def replica(self, token: bytes) -> Identity:
        """Whose token it is. Raises: Unauthenticated with the reason."""
        claims = self.claims(REPLICA, token)
        with understood():
            return Identity(
                name=claims["sub"],
                may_call=frozenset(convert(claims.get("may_call", ()), list[str])),
                expires_at=claims["exp"],
                hosts=convert(claims.get("hosts", ()), tuple[str, ...]),
                works_late=claims.get("late") is True,
            )

    def claims(self, kind: str, token: bytes, *, grace: float = LEEWAY_SECONDS) -> dict[str, Any]:
        """What a token of a kind says, up to `grace` seconds after its end. Raises: Unauthenticated with the reason."""
        known = self._verdicts.get((kind, token))
        if known is None:
            known = self._verified(kind, token)
            if len(self._verdicts) >= VERDICTS_LIMIT:
                self._verdicts.clear()
            self._verdicts[kind, token] = known
        if (ago := self._clock.time() - known["exp"]) >= grace:
            raise Unauthenticated(
                f"The token of {known['sub']} has expired {ago:.0f} s ago: "
                "it is to be renewed, or the clocks of the two hosts differ."
            )
        return known

    def _verified(self, kind: str, token: bytes) -> dict[str, Any]:
        if not token:
            raise Unauthenticated(f"There is no token: who calls {self._issuer} has to say who it is.")
        if len(token) > TOKEN_LIMIT_BYTES:
            raise Unauthenticated(f"The token is longer than {TOKEN_LIMIT_BYTES} bytes.")
        options: Any = {"require": ["exp", "iss", "sub", "aud"], "verify_exp": False, "verify_iat": False}
        try:
            found: dict[str, Any] = jwt.decode(
                token, self._key(token), [ALGORITHM], options=options, issuer=self._issuer, audience=kind
            )
        except jwt.InvalidIssuerError as error:
            raise Unauthenticated(f"The token is of another deployment than {self._issuer}.") from error
        except jwt.PyJWTError as error:
            raise Unauthenticated(f"The token cannot be trusted: {error}.") from error
        with understood():
            return {**found, "exp": convert(found["exp"], float)}

    def _key(self, token: bytes) -> Ed25519PublicKey:
        identity = jwt.get_unverified_header(token).get("kid", "")
        if identity not in self._keys:
            self._read_again()
        if identity not in self._keys:
            raise Unauthenticated(f"The token is signed with a key that {self._issuer} does not know.")
        return self._keys[identity]

    def _read_again(self) -> None:
        """The keys may have been rotated. While they cannot be read, those that are known stay known."""
        try:
            stamp = _stamp(self._path)
            if stamp != self._stamp:
                self._keys, self._stamp = public_keys(self._path), stamp
        except (OSError, ConfigurationError) as error:
            log.warning("The keys cannot be read again: %s", error)


@contextmanager
def understood() -> Iterator[None]:
    """Raises: Unauthenticated where a token that was signed well says what a token does not."""
    try:
        yield
    except (msgspec.ValidationError, LookupError) as error:
        raise Unauthenticated(f"The token says what cannot be understood: {error}.") from error


def token_of(path: Path) -> Callable[[], bytes]:
    """What makes the token for each new connection: it is read from its file, so that a renewed one is used."""

    def read() -> bytes:
        try:
            return path.read_bytes().strip()
        except OSError as error:
            raise Unauthenticated(f"The token {path} cannot be read: {error.strerror or error}.") from error

    return read


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_ino
