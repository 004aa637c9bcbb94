"""Tokens: who a replica is and what it may call, signed with Ed25519 and verified once for each connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ramet.clock import Clock
from ramet.errors import MissingExtra, Unauthenticated
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
ALGORITHM, REPLICA, CALLER = "EdDSA", "replica", "caller"


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Who a token speaks for: "group/replica", what it hosts, which contracts it may call, until when (epoch)."""

    name: str
    may_call: frozenset[str]
    expires_at: float
    hosts: tuple[str, ...] = ()

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

    def replica(self, name: str, *, hosts: tuple[str, ...], may_call: frozenset[str]) -> bytes:
        """The token of a replica, "group/replica"."""
        return self.sign(REPLICA, {"sub": name, "hosts": list(hosts), "may_call": sorted(may_call)}, self._lifetime)

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
        return Identity(
            name=claims["sub"],
            may_call=frozenset(claims.get("may_call", ())),
            expires_at=float(claims["exp"]),
            hosts=tuple(claims.get("hosts", ())),
        )

    def claims(self, kind: str, token: bytes) -> dict[str, Any]:
        """What a token of a kind says. Raises: Unauthenticated with the reason."""
        known = self._verdicts.get((kind, token))
        if known is None:
            known = self._verified(kind, token)
            if len(self._verdicts) >= VERDICTS_LIMIT:
                self._verdicts.clear()
            self._verdicts[kind, token] = known
        if known["exp"] + LEEWAY_SECONDS <= self._clock.time():
            raise Unauthenticated(f"The token of {known['sub']} has expired: it is to be renewed.")
        return known

    def _verified(self, kind: str, token: bytes) -> dict[str, Any]:
        if not token:
            raise Unauthenticated(f"There is no token: who calls {self._issuer} has to say who it is.")
        if len(token) > TOKEN_LIMIT_BYTES:
            raise Unauthenticated(f"The token is longer than {TOKEN_LIMIT_BYTES} bytes.")
        options: Any = {"require": ["exp", "iss", "sub", "aud"], "verify_exp": False, "verify_iat": False}
        try:
            return jwt.decode(token, self._key(token), [ALGORITHM], options=options, issuer=self._issuer, audience=kind)
        except jwt.InvalidIssuerError as error:
            raise Unauthenticated(f"The token is of another deployment than {self._issuer}.") from error
        except jwt.PyJWTError as error:
            raise Unauthenticated(f"The token cannot be trusted: {error}.") from error

    def _key(self, token: bytes) -> Ed25519PublicKey:
        identity = jwt.get_unverified_header(token).get("kid", "")
        if identity not in self._keys and (stamp := _stamp(self._path)) != self._stamp:
            self._keys, self._stamp = public_keys(self._path), stamp
        if identity not in self._keys:
            raise Unauthenticated(f"The token is signed with a key that {self._issuer} does not know.")
        return self._keys[identity]


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
