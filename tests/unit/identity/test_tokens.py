"""A token is believed only if this deployment has signed it, for this use, and lately."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import jwt
import pytest

from ramet.clock import VirtualClock
from ramet.errors import Unauthenticated
from ramet.identity.keys import PUBLIC, make_keys, signing_key
from ramet.identity.tokens import ALGORITHM, REPLICA, Issuer, Verifier, token_of

DAY_SECONDS = 86_400


class Deployment:
    """One deployment: who signs, and who verifies."""

    def __init__(self, folder: Path, name: str = "shop/split") -> None:
        self.folder = folder
        self.clock = VirtualClock()
        self.issuer = Issuer(signing_key(folder), name, clock=self.clock)
        self.verifier = Verifier(folder / PUBLIC, name, clock=self.clock)

    def token(self) -> bytes:
        return self.issuer.replica("edge/0", hosts=("storefront",), may_call=frozenset({"orders", "users"}))


@pytest.fixture
def split(tmp_path: Path) -> Deployment:
    return Deployment(tmp_path / "keys")


def test_a_token_says_who_it_is_and_what_it_may_call(split: Deployment) -> None:
    identity = split.verifier.replica(split.token())
    assert (identity.name, identity.hosts) == ("edge/0", ("storefront",))
    assert identity.may("orders")
    assert not identity.may("payments")


async def test_an_expired_token_is_refused_also_when_it_was_verified_before(split: Deployment) -> None:
    token = split.token()
    split.verifier.replica(token)
    await split.clock.advance(DAY_SECONDS + 10)
    with pytest.raises(Unauthenticated, match="expired"):
        split.verifier.replica(token)


def test_a_token_of_another_key_is_refused(split: Deployment, tmp_path: Path) -> None:
    stranger = Deployment(tmp_path / "other")
    with pytest.raises(Unauthenticated, match="does not know"):
        split.verifier.replica(stranger.token())


def test_a_foreign_key_under_a_known_key_id_is_refused(split: Deployment, tmp_path: Path) -> None:
    stranger = signing_key(tmp_path / "other")
    claims = {"sub": "edge/0", "iss": "shop/split", "aud": "replica", "exp": 4_000_000_000}
    kid = signing_key(split.folder).id
    forged = jwt.encode(claims, stranger.private, "EdDSA", headers={"kid": kid}).encode()
    with pytest.raises(Unauthenticated, match="trusted"):
        split.verifier.replica(forged)


def test_a_token_whose_claims_were_changed_is_refused(split: Deployment) -> None:
    head, _, signature = split.token().split(b".")
    claims = {"sub": "edge/0", "iss": "shop/split", "aud": "replica", "exp": 4_000_000_000, "may_call": ["payments"]}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=")
    with pytest.raises(Unauthenticated, match="trusted"):
        split.verifier.replica(b".".join((head, body, signature)))


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_of_another_algorithm_is_refused(split: Deployment, algorithm: str) -> None:
    claims = {"sub": "edge/0", "iss": "shop/split", "aud": "replica", "exp": 4_000_000_000}
    secret = None if algorithm == "none" else "a secret that is long enough for the algorithm"
    kid = signing_key(split.folder).id
    forged = jwt.encode(claims, secret, algorithm, headers={"kid": kid}).encode()
    with pytest.raises(Unauthenticated, match="trusted"):
        split.verifier.replica(forged)


def test_a_token_of_another_deployment_is_refused_even_with_the_same_key(split: Deployment) -> None:
    other = Issuer(signing_key(split.folder), "shop/staging", clock=split.clock)
    with pytest.raises(Unauthenticated, match="another deployment"):
        split.verifier.replica(other.replica("edge/0", hosts=(), may_call=frozenset()))


@pytest.mark.parametrize("token", [b"", b"x", b"a.b.c", b"\xff" * 40, b"x" * 100_000])
def test_what_is_no_token_is_refused(split: Deployment, token: bytes) -> None:
    with pytest.raises(Unauthenticated):
        split.verifier.replica(token)


@pytest.mark.parametrize("claims", [{"may_call": [["orders"]]}, {"may_call": "orders"}, {"hosts": None}])
def test_a_token_that_says_what_no_token_does_is_refused(split: Deployment, claims: dict[str, object]) -> None:
    token = split.issuer.sign(REPLICA, {"sub": "edge/0", **claims}, 60.0)
    with pytest.raises(Unauthenticated, match="cannot be understood"):
        split.verifier.replica(token)


def test_a_token_without_a_good_end_is_refused(split: Deployment) -> None:
    key = signing_key(split.folder)
    claims = {"sub": "edge/0", "iss": "shop/split", "aud": REPLICA, "exp": "9999999999"}
    token = jwt.encode(claims, key.private, ALGORITHM, headers={"kid": key.id})
    with pytest.raises(Unauthenticated):
        split.verifier.replica(token.encode())


def test_after_a_rotation_tokens_of_both_keys_are_believed(split: Deployment) -> None:
    former = split.token()
    later = Issuer(make_keys(split.folder), "shop/split", clock=split.clock)
    token = later.replica("edge/1", hosts=(), may_call=frozenset())
    assert split.verifier.replica(token).name == "edge/1"
    assert split.verifier.replica(former).name == "edge/0"


def test_a_renewed_token_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_bytes(b"one\n")
    read = token_of(path)
    assert read() == b"one"
    path.write_bytes(b"two\n")
    assert read() == b"two"
