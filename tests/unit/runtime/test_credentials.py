"""A replica's proofs are in the files of its assignment; what is missing is told with the command that makes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ramet.clock import SystemClock
from ramet.errors import ConfigurationError, Unauthenticated
from ramet.identity.certificates import Authority
from ramet.identity.keys import PUBLIC, signing_key, write_private
from ramet.identity.tokens import Issuer, issuer_of
from ramet.model.topology import Assignment, Deployment, Group
from ramet.runtime.credentials import Credentials, certified, credentials

CLOCK = SystemClock()
PLAIN = Deployment(name="split", groups=(Group(name="money", services=("payments",)),))
SECURE = Deployment(name="split", groups=(Group(name="money", services=("payments",), internal="tls://127.0.0.1:0"),))


def assigned(folder: Path, token: bytes) -> Assignment:
    write_private(folder / "money.token", token)
    return Assignment(
        deployment="split",
        group="money",
        replica=0,
        hosts=("payments",),
        internal="unix:/nowhere",
        token=str(folder / "money.token"),
        keys=str(folder / PUBLIC),
    )


def test_a_token_of_the_deployment_is_known(tmp_path: Path) -> None:
    issuer = Issuer(signing_key(tmp_path), issuer_of("shop", "split"), clock=CLOCK)
    token = issuer.replica("money/0", hosts=("payments",), may_call=frozenset({"orders"}))
    proof = credentials("shop", assigned(tmp_path, token), CLOCK)
    assert proof.token is not None
    assert proof.verify is not None
    peer = proof.verify(proof.token())
    assert (peer.name, peer.may_call) == ("money/0", frozenset({"orders"}))


def test_a_token_of_another_deployment_is_not(tmp_path: Path) -> None:
    issuer = Issuer(signing_key(tmp_path), issuer_of("shop", "other"), clock=CLOCK)
    token = issuer.replica("money/0", hosts=(), may_call=frozenset())
    proof = credentials("shop", assigned(tmp_path, token), CLOCK)
    assert proof.verify is not None
    with pytest.raises(Unauthenticated, match="another deployment"):
        proof.verify(token)


def test_without_files_nothing_is_proven_or_asked(tmp_path: Path) -> None:
    assignment = Assignment(deployment="split", group="money", replica=0, hosts=(), internal="unix:/nowhere")
    assert credentials("shop", assignment, CLOCK) == Credentials()


def test_certificates_are_needed_only_where_groups_speak_tls(tmp_path: Path) -> None:
    assert certified(PLAIN, tmp_path, "money") is None
    with pytest.raises(ConfigurationError, match="ramet certs make money --host NAME -d split"):
        certified(SECURE, tmp_path, "money")


def test_both_sides_show_what_the_authority_has_signed(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "certificates", clock=CLOCK)
    authority.make("shop")
    authority.issue("money", ["127.0.0.1"])
    tls = certified(SECURE, tmp_path, "money")
    assert tls is not None
    assert (tls.certificate, tls.authority) == (
        tmp_path / "certificates" / "money.pem",
        tmp_path / "certificates" / "authority.pem",
    )
