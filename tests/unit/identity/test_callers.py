"""A user is believed in only if a public part has signed so, for this deployment, and lately."""

from __future__ import annotations

from pathlib import Path

import pytest

from ramet.clock import VirtualClock
from ramet.errors import ConfigurationError, Unauthenticated
from ramet.identity.callers import CALLER_SECONDS, LATE_SECONDS, CallerSigner, CallerVerifier
from ramet.identity.keys import PUBLIC, SIGNING, make_keys, signing_key
from ramet.identity.tokens import CALLER, LEEWAY_SECONDS, Issuer, Verifier
from ramet.telemetry.context import Caller

ADA = Caller(subject="ada", tenant="acme", roles=frozenset({"admin"}))


class Deployment:
    """Who signs users, and who verifies them."""

    def __init__(self, folder: Path, name: str = "shop/split") -> None:
        self.folder = folder
        self.clock = VirtualClock()
        signing_key(folder)
        self.sign = CallerSigner.of(folder, name, clock=self.clock)
        self.verify = CallerVerifier(folder, name, clock=self.clock)


@pytest.fixture
def split(tmp_path: Path) -> Deployment:
    return Deployment(tmp_path / "callers")


def test_a_caller_arrives_as_it_was_established(split: Deployment) -> None:
    assert split.verify(split.sign(ADA)) == ADA
    assert split.verify(split.sign(Caller(subject="bob"))) == Caller(subject="bob")


async def test_a_proof_is_signed_once_while_half_of_its_time_is_left(split: Deployment) -> None:
    proof = split.sign(ADA)
    await split.clock.advance(CALLER_SECONDS / 2 - 1)
    assert split.sign(ADA) == proof
    await split.clock.advance(2)
    assert split.sign(ADA) != proof


async def test_an_expired_proof_is_refused_also_when_it_was_verified_before(split: Deployment) -> None:
    proof = split.sign(ADA)
    split.verify(proof)
    await split.clock.advance(CALLER_SECONDS + LEEWAY_SECONDS + 1)
    with pytest.raises(Unauthenticated, match=r"ada has expired 6 s ago: .* or the clocks"):
        split.verify(proof)


async def test_work_that_goes_on_late_may_show_it_for_longer_and_not_for_ever(split: Deployment) -> None:
    proof = split.sign(ADA)
    await split.clock.advance(CALLER_SECONDS + 3600)
    assert split.verify(proof, late=True) == ADA
    await split.clock.advance(LATE_SECONDS)
    with pytest.raises(Unauthenticated, match="expired"):
        split.verify(proof, late=True)


def test_a_proof_of_another_key_or_deployment_is_refused(split: Deployment, tmp_path: Path) -> None:
    with pytest.raises(Unauthenticated, match="does not know"):
        split.verify(Deployment(tmp_path / "other").sign(ADA))
    elsewhere = CallerSigner.of(split.folder, "shop/production", clock=split.clock)
    with pytest.raises(Unauthenticated, match="of another deployment"):
        split.verify(elsewhere(ADA))


def test_the_proof_of_a_caller_is_no_token_of_a_replica_nor_the_other_way_round(split: Deployment) -> None:
    issuer = Issuer(signing_key(split.folder), "shop/split", clock=split.clock)
    verifier = Verifier(split.folder / PUBLIC, "shop/split", clock=split.clock)
    with pytest.raises(Unauthenticated):
        verifier.replica(split.sign(Caller(subject="edge/0")).encode())
    with pytest.raises(Unauthenticated):
        split.verify(issuer.replica("edge/0", hosts=(), may_call=frozenset()).decode())


def test_whatever_is_cut_off_or_changed_is_refused_and_nothing_else_happens(split: Deployment) -> None:
    proof = split.sign(ADA)
    for length in range(len(proof)):
        with pytest.raises(Unauthenticated):
            split.verify(proof[:length])
        with pytest.raises(Unauthenticated):
            split.verify(proof[:length] + ("A" if proof[length] != "A" else "B") * 9 + proof[length + 9 :])
    for other in ("\ud800", "ä.ö.ü", "..", "e30.e30.e30", "bnVsbA.bnVsbA.", "a" * 40_000):
        with pytest.raises(Unauthenticated):
            split.verify(other)


@pytest.mark.parametrize("claims", [{}, {"tenant": 5, "roles": []}, {"tenant": None, "roles": 5}])
def test_a_proof_that_says_what_no_proof_does_is_refused(split: Deployment, claims: dict[str, object]) -> None:
    issuer = Issuer(signing_key(split.folder), "shop/split", clock=split.clock)
    proof = issuer.sign(CALLER, {"sub": "anna", **claims}, 60.0).decode()
    with pytest.raises(Unauthenticated, match="cannot be understood"):
        split.verify(proof)


def test_after_a_rotation_proofs_of_both_keys_are_believed(split: Deployment) -> None:
    former = split.sign(ADA)
    make_keys(split.folder)
    rotated = CallerSigner.of(split.folder, "shop/split", clock=split.clock)
    assert split.verify(rotated(ADA)) == split.verify(former) == ADA


def test_keys_that_cannot_be_read_again_are_no_reason_to_forget_those_that_are_known(split: Deployment) -> None:
    proof = split.sign(ADA)
    (split.folder / PUBLIC).unlink()
    make_keys(split.folder / "elsewhere")
    stranger = CallerSigner.of(split.folder / "elsewhere", "shop/split", clock=split.clock)
    with pytest.raises(Unauthenticated, match="does not know"):
        split.verify(stranger(ADA))
    assert split.verify(proof) == ADA


def test_a_key_that_is_not_there_or_open_to_others_is_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"signing\.pem cannot be read: No such file"):
        CallerSigner.of(tmp_path, "shop/split", clock=VirtualClock())
    with pytest.raises(ConfigurationError, match=r"public\.json is no file of public keys"):
        CallerVerifier(tmp_path, "shop/split", clock=VirtualClock())
    make_keys(tmp_path)
    (tmp_path / SIGNING).chmod(0o640)
    with pytest.raises(ConfigurationError, match="can be read by others than its owner: chmod 600"):
        CallerSigner.of(tmp_path, "shop/split", clock=VirtualClock())
