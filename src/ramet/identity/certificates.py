"""Certificates for TLS between hosts: a local authority, and what it signs for each process group."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from ramet.clock import Clock
from ramet.errors import ConfigurationError, MissingExtra
from ramet.identity.keys import write_private

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
except ImportError as error:
    raise MissingExtra("cryptography", "processes", "TLS between hosts") from error

AUTHORITY = "authority"
_HOST = re.compile(r"(\*\.)?[\w-]+(\.[\w-]+)*", re.ASCII)
SERIAL_BITS = 159
SKEW = timedelta(minutes=5)
"""Clocks of other hosts may be behind by this."""
AUTHORITY_DAYS, DAYS = 3650, 365


class Files(NamedTuple):
    """Where a certificate and its key are, in PEM."""

    certificate: Path
    key: Path


class Certificate(NamedTuple):
    """What a certificate says: for whom, under which names, signed by whom, until when."""

    file: Path
    subject: str
    names: tuple[str, ...]
    issuer: str
    expires: datetime


class Authority:
    """A certificate authority in a folder, for one deployment; its key never leaves the folder."""

    def __init__(self, folder: Path, *, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock

    @property
    def files(self) -> Files:
        """Its own certificate, which everybody trusts, and its key."""
        return files_of(self._folder, AUTHORITY)

    def make(self, name: str) -> Files:
        """Make the authority, unless it is there."""
        if self.files.certificate.exists():
            return self.files
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        key, subject = ec.generate_private_key(ec.SECP256R1()), _name(name)
        made = (
            self._builder(subject, subject, key.public_key(), AUTHORITY_DAYS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        return _write(self.files, made, key)

    def issue(self, name: str, hosts: Sequence[str], *, days: int = DAYS) -> Files:
        """A certificate for a process group, with which it answers under the names of its hosts, and calls others.

        Raises: ConfigurationError where the authority is not there, or a name cannot be.
        """
        if name == AUTHORITY or not name.replace("-", "").replace("_", "").isalnum():
            raise ConfigurationError(f'"{name}" cannot be the name of a certificate: take letters, digits and hyphens.')
        authority, signer = self._own()
        key = ec.generate_private_key(ec.SECP256R1())
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        made = (
            self._builder(_name(name), authority.subject, key.public_key(), days)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(x509.SubjectAlternativeName([_host(host) for host in (*hosts, name)]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
            .sign(signer, hashes.SHA256())
        )
        return _write(files_of(self._folder, name), made, key)

    def _own(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        try:
            certificate = x509.load_pem_x509_certificate(self.files.certificate.read_bytes())
            key = serialization.load_pem_private_key(self.files.key.read_bytes(), password=None)
        except (OSError, ValueError, TypeError) as error:
            raise ConfigurationError(f"There is no certificate authority in {self._folder}: {error}.") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ConfigurationError(f"{self.files.key} is not the key of an authority that was made here.")
        return certificate, key

    def _builder(
        self, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
    ) -> x509.CertificateBuilder:
        now = self._clock.now()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(self._clock.bits(SERIAL_BITS) | 1)
            .not_valid_before(now - SKEW)
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )


def files_of(folder: Path, name: str) -> Files:
    """Where the certificate of a name is, and its key."""
    return Files(folder / f"{name}.pem", folder / f"{name}.key")


def certificates(folder: Path) -> list[Certificate]:
    """Those of a folder, by name. Raises: ConfigurationError where one cannot be read."""
    return [_read(path) for path in sorted(folder.glob("*.pem"))]


def check(certificate: Path, authority: Path, now: datetime) -> None:
    """Raises: ConfigurationError where a certificate is not of this authority, or is not valid now."""
    found = _load(certificate)
    try:
        found.verify_directly_issued_by(_load(authority))
    except (ValueError, TypeError, InvalidSignature) as error:
        raise ConfigurationError(
            f"{certificate} was not signed by {authority}: nobody would be let in with it; `ramet certs make` makes "
            "another."
        ) from error
    begins, ends = found.not_valid_before_utc, found.not_valid_after_utc
    if not begins <= now <= ends:
        raise ConfigurationError(
            f"{certificate} is valid from {begins:%Y-%m-%d} to {ends:%Y-%m-%d}, and it is {now:%Y-%m-%d}: "
            "`ramet certs make` makes another."
        )


def _load(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} is no certificate: {error}.") from error


def _read(path: Path) -> Certificate:
    found = _load(path)
    try:
        alternatives = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = tuple(str(one.value) for one in alternatives)
    except x509.ExtensionNotFound:
        names = ()
    return Certificate(path, _common(found.subject), names, _common(found.issuer), found.not_valid_after_utc)


def _write(files: Files, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Files:
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_private(files.key, pem)
    write_private(files.certificate, certificate.public_bytes(serialization.Encoding.PEM))
    return files


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        if not _HOST.fullmatch(host):
            raise ConfigurationError(
                f'"{host}" is no host: write a name such as money.internal, or an address such as 10.0.0.7.'
            ) from None
        return x509.DNSName(host)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _common(name: x509.Name) -> str:
    return str(name.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
