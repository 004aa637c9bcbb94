"""Signing keys: an Ed25519 key in a file of its owner's alone, and the public ones that others verify by, by key id."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ramet.errors import ConfigurationError, MissingExtra

try:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
except ImportError as error:
    raise MissingExtra("cryptography", "processes", "Identity between processes") from error

SIGNING, PUBLIC = "signing.pem", "public.json"
KEPT = 3
"""So many public keys are kept at a rotation: tokens of the former keys stay valid until they expire."""


class PublicKey(msgspec.Struct, frozen=True, kw_only=True):
    """One key of a set (JWK, RFC 8037); `x` is the raw key in base64url without padding."""

    kid: str
    x: str
    kty: str = "OKP"
    crv: str = "Ed25519"


class PublicKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The file of public keys (JWK Set, RFC 7517), the newest last."""

    keys: tuple[PublicKey, ...] = ()


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What tokens are signed with; `id` is derived from the public key."""

    id: str
    private: Ed25519PrivateKey


def make_keys(folder: Path) -> SigningKey:
    """A new signing key in a folder; its public key joins those that are there.

    The public one is written first, so that nobody sees a token that cannot be verified yet.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    private = Ed25519PrivateKey.generate()
    key = SigningKey(key_id(private.public_key()), private)
    known = _public(folder / PUBLIC).keys if (folder / PUBLIC).exists() else ()
    entry = PublicKey(kid=key.id, x=_text(private.public_key()))
    everybody = PublicKeys(keys=(*known, entry)[-KEPT:])
    write_private(folder / PUBLIC, msgspec.json.encode(everybody))
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_private(folder / SIGNING, pem)
    return key


def signing_key(folder: Path) -> SigningKey:
    """The signing key of a folder; made where there is none. Raises: ConfigurationError."""
    return read_signing_key(folder) if (folder / SIGNING).exists() else make_keys(folder)


def read_signing_key(folder: Path) -> SigningKey:
    """The signing key that is in a folder.

    Raises: ConfigurationError where there is none, others may read it, or what it signs could not be verified.
    """
    path = folder / SIGNING
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigurationError(f"{path} can be read by others than its owner: chmod 600 {path}")
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"The signing key {path} cannot be read: {error.strerror or error}.") from error
    try:
        private = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(f"{path} is no private key: remove it, and a new one is made.") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise ConfigurationError(f"{path} is no Ed25519 key: remove it, and a new one is made.")
    key = SigningKey(key_id(private.public_key()), private)
    if key.id not in public_keys(folder / PUBLIC):
        raise ConfigurationError(
            f"{folder / PUBLIC} does not have the public key of {path}: "
            f"put back the one that was made with it, or remove {SIGNING}, and a new one is made."
        )
    return key


def public_keys(path: Path) -> Mapping[str, Ed25519PublicKey]:
    """The keys of a public file, by key id. Raises: ConfigurationError."""
    try:
        return {one.kid: _key(one.x) for one in _public(path).keys}
    except ValueError as error:
        raise ConfigurationError(f"{path} has a key that is none: {error}.") from error


def key_id(key: Ed25519PublicKey) -> str:
    """16 hexadecimal characters of the key's SHA-256."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads; whoever reads it meanwhile sees the former or the new one whole."""
    fresh = path.with_name(f".{path.name}.{os.getpid():x}")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    fresh.replace(path)


def _public(path: Path) -> PublicKeys:
    try:
        return msgspec.json.decode(path.read_bytes(), type=PublicKeys)
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigurationError(f"{path} is no file of public keys: {error}.") from error


def _text(key: Ed25519PublicKey) -> str:
    return base64.urlsafe_b64encode(key.public_bytes_raw()).rstrip(b"=").decode()


def _key(text: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
