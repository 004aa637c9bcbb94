"""What the local authority signs is trusted by both sides of a TLS connection, and nothing else is."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from ramet.clock import SystemClock
from ramet.errors import ConfigurationError
from ramet.identity.certificates import Authority, Files, certificates
from ramet.transport.options import Tls
from ramet.transport.tls import client_context, server_context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = Authority(tmp_path / "one", clock=SystemClock())
    made.make("shop split")
    return made


def shaken(server: Tls, client: Tls, host: str) -> None:
    """A handshake in memory. Raises: ssl.SSLError."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    theirs = server_context(server).wrap_bio(to_server, to_client, server_side=True)
    ours = client_context(client).wrap_bio(to_client, to_server, server_hostname=host)
    for _ in range(3):
        for side in (ours, theirs):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    theirs.getpeercert()


def tls(files: Files, authority: Authority) -> Tls:
    return Tls(certificate=files.certificate, key=files.key, authority=authority.files.certificate)


def test_two_groups_of_one_authority_trust_each_other(authority: Authority) -> None:
    edge, money = authority.issue("edge", ["localhost"]), authority.issue("money", ["127.0.0.1", "money.internal"])
    shaken(tls(money, authority), tls(edge, authority), "127.0.0.1")
    shaken(tls(money, authority), tls(edge, authority), "money.internal")


def test_a_certificate_of_another_authority_is_not_trusted(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path / "two", clock=SystemClock())
    other.make("shop split")
    stranger, money = other.issue("edge", ["localhost"]), authority.issue("money", ["localhost"])
    with pytest.raises(ssl.SSLError):
        shaken(tls(money, authority), tls(stranger, authority), "localhost")


def test_a_certificate_for_another_host_is_not_trusted(authority: Authority) -> None:
    money = authority.issue("money", ["localhost"])
    with pytest.raises(ssl.SSLError):
        shaken(tls(money, authority), tls(money, authority), "elsewhere")


def test_the_authority_is_made_once_and_its_key_is_its_owners_alone(authority: Authority) -> None:
    before = authority.files.certificate.read_bytes()
    authority.make("shop split")
    assert authority.files.certificate.read_bytes() == before
    assert authority.files.key.stat().st_mode & 0o777 == 0o600


def test_without_an_authority_nothing_is_signed(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no certificate authority"):
        Authority(tmp_path, clock=SystemClock()).issue("edge", [])


@pytest.mark.parametrize("host", ["", "a b", "http://shop", "shop:80", "../shop", "bäcker", "a..b"])
def test_what_is_no_host_is_not_signed(authority: Authority, host: str) -> None:
    with pytest.raises(ConfigurationError, match=f'"{host}" is no host'):
        authority.issue("edge", ["localhost", host])


def test_certificates_say_for_whom_they_are(authority: Authority, tmp_path: Path) -> None:
    authority.issue("edge", ["localhost"])
    found = {one.subject: one for one in certificates(tmp_path / "one")}
    assert found["edge"].names == ("localhost", "edge")
    assert found["edge"].issuer == found["shop split"].issuer == "shop split"
