"""A replica's proofs are in the files of its assignment; what is missing is told with the command that makes it."""

from __future__ import annotations

import logging
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from ramet.clock import SystemClock
from ramet.errors import ConfigurationError, Denied, Unauthenticated
from ramet.identity.certificates import Authority, check
from ramet.identity.keys import PUBLIC, signing_key, write_private
from ramet.identity.tokens import Issuer, issuer_of
from ramet.model.topology import Assignment, Deployment, Group
from ramet.runtime.credentials import Credentials, certified, credentials
from ramet.telemetry.context import Caller, Context
from ramet.transport.base import Peer

CLOCK = SystemClock()
PLAIN = Deployment(name="split", groups=(Group(name="money", services=("payments",)),))
SECURE = Deployment(name="split", groups=(Group(name="money", services=("payments",), internal="tls://127.0.0.1:0"),))


def assigned(folder: Path, token: bytes) -> Assignment:
    write_private(folder / "money.token", token)
    signing_key(folder / "callers")
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
    own = Issuer(signing_key(tmp_path), issuer_of("shop", "split"), clock=CLOCK)
    other = Issuer(signing_key(tmp_path), issuer_of("shop", "other"), clock=CLOCK)
    token = other.replica("money/0", hosts=(), may_call=frozenset())
    proof = credentials("shop", assigned(tmp_path, own.replica("money/0", hosts=(), may_call=frozenset())), CLOCK)
    assert proof.verify is not None
    with pytest.raises(Unauthenticated, match="another deployment"):
        proof.verify(token)
    with pytest.raises(ConfigurationError, match="would not be believed by others: The token is of another"):
        credentials("shop", assigned(tmp_path, token), CLOCK)


def test_only_who_has_public_parts_signs_users_and_everybody_verifies_them(tmp_path: Path) -> None:
    issuer = Issuer(signing_key(tmp_path), issuer_of("shop", "split"), clock=CLOCK)
    assignment = assigned(tmp_path, issuer.replica("money/0", hosts=(), may_call=frozenset()))
    money = credentials("shop", assignment, CLOCK)
    edge = credentials("shop", replace(assignment, speaks_for_users=True), CLOCK)
    assert money.sign is None
    assert edge.sign is not None
    assert money.vouch is not None
    ann = Caller(subject="ann", tenant="acme")
    told = Context(execution="e", trace="t", proof=edge.sign(ann), tenant="else", baggage={"a": "b"})
    believed = money.vouch(told, Peer("edge/0"))
    assert (believed.caller, believed.tenant, believed.baggage) == (ann, "acme", {"a": "b"})


def test_work_goes_on_without_a_user_who_is_not_proven(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    issuer = Issuer(signing_key(tmp_path), issuer_of("shop", "split"), clock=CLOCK)
    assignment = assigned(tmp_path, issuer.replica("money/0", hosts=(), may_call=frozenset()))
    proof = credentials("shop", replace(assignment, speaks_for_users=True), CLOCK)
    assert proof.believe is not None
    assert proof.sign is not None
    nobody, ann = Context(execution="e", trace="t", region="eu"), Caller(subject="ann")
    assert proof.believe(nobody) is nobody
    proven = replace(nobody, caller=ann, proof=proof.sign(ann))
    assert proof.believe(proven) == proven
    with caplog.at_level(logging.WARNING):
        assert proof.believe(replace(nobody, caller=ann, tenant="acme")) == nobody
        assert proof.believe(replace(nobody, caller=ann, proof="forged")) == nobody
    assert "The work t goes on without its user: there is no proof" in caplog.text
    assert "The work t goes on without its user: The token cannot be trusted" in caplog.text


def test_a_certificate_of_another_authority_or_time_is_told_before_anybody_is_asked(tmp_path: Path) -> None:
    folder = tmp_path / "certificates"
    authority, stranger = Authority(folder, clock=CLOCK), Authority(tmp_path / "other", clock=CLOCK)
    for one in (authority, stranger):
        one.make("shop")
        one.issue("money", ["127.0.0.1"], days=1)
    assert certified(SECURE, tmp_path, "money", CLOCK) is not None
    with pytest.raises(ConfigurationError, match=r"money\.pem is valid from .* to .*, and it is .*: `ramet certs"):
        check(folder / "money.pem", folder / "authority.pem", CLOCK.now() + timedelta(days=2))
    shutil.copy(tmp_path / "other" / "money.pem", folder / "money.pem")
    with pytest.raises(ConfigurationError, match=r"money\.pem was not signed by .*authority\.pem"):
        certified(SECURE, tmp_path, "money", CLOCK)


def test_without_files_nothing_is_proven_or_asked(tmp_path: Path) -> None:
    assignment = Assignment(deployment="split", group="money", replica=0, hosts=(), internal="unix:/nowhere")
    assert credentials("shop", assignment, CLOCK) == Credentials()


def test_certificates_are_needed_only_where_groups_speak_tls(tmp_path: Path) -> None:
    assert certified(PLAIN, tmp_path, "money", CLOCK) is None
    with pytest.raises(ConfigurationError, match="ramet certs make money --host NAME -d split"):
        certified(SECURE, tmp_path, "money", CLOCK)


def test_both_sides_show_what_the_authority_has_signed(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "certificates", clock=CLOCK)
    authority.make("shop")
    authority.issue("money", ["127.0.0.1"])
    tls = certified(SECURE, tmp_path, "money", CLOCK)
    assert tls is not None
    assert (tls.certificate, tls.authority) == (
        tmp_path / "certificates" / "money.pem",
        tmp_path / "certificates" / "authority.pem",
    )


def test_a_user_that_is_invented_writes_no_lines_of_its_own_into_the_log(tmp_path: Path) -> None:
    issuer = Issuer(signing_key(tmp_path), issuer_of("shop", "split"), clock=CLOCK)
    proof = credentials("shop", assigned(tmp_path, issuer.replica("money/0", hosts=(), may_call=frozenset())), CLOCK)
    assert proof.vouch is not None
    invented = Context(execution="e", trace="t", caller=Caller(subject="root\n12:00:00 error all is lost" + "!" * 9000))
    with pytest.raises(Denied) as caught:
        proof.vouch(invented, Peer(name="money/0"))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300
