"""Whatever is wrong with keys, tokens and certificates is one sentence of a replica that does not start."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from ramet.clock import SystemClock
from ramet.identity.certificates import Authority
from ramet.identity.keys import PUBLIC, SIGNING, make_keys, signing_key, write_private
from ramet.identity.tokens import Issuer, issuer_of
from ramet.model.topology import ASSIGNMENT, Assignment

CODE = """
from ramet import Contract, query


class Ovens(Contract, version="1.0.0"):
    @query
    async def loaves(self) -> int: ...


class OvensService(Ovens):
    async def loaves(self) -> int:
        return 12
"""
TOML = """
[application]
name = "bakery"
services = ["bakery"]

[deployment.split]
data = "data"

[deployment.split.process.back]
services = "*"
internal = "tls://127.0.0.1:0"
"""
CLOCK = SystemClock()


class Past(SystemClock):
    """Two days ago."""

    def time(self) -> float:
        return super().time() - 2 * 86_400


class Bakery:
    """One replica, its files, and what it says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys, self.certificates, self.token = folder / "keys", folder / "data" / "certificates", folder / "token"
        (folder / "bakery.py").write_text(CODE, encoding="utf-8")
        (folder / "ramet.toml").write_text(TOML, encoding="utf-8")
        signing_key(self.keys / "callers")
        self.sign("bakery", "split", CLOCK)
        Authority(self.certificates, clock=CLOCK).make("bakery")
        Authority(self.certificates, clock=CLOCK).issue("back", ["127.0.0.1"])

    def sign(self, application: str, deployment: str, clock: SystemClock) -> None:
        issuer = Issuer(signing_key(self.keys), issuer_of(application, deployment), clock=clock)
        write_private(self.token, issuer.replica("back/0", hosts=("ovens",), may_call=frozenset()))

    def start(self) -> tuple[int, str]:
        assignment = Assignment(
            deployment="split",
            group="back",
            replica=0,
            hosts=("ovens",),
            groups={"back": ("ovens",)},
            internal="tls://127.0.0.1:0",
            token=str(self.token),
            keys=str(self.keys / PUBLIC),
            speaks_for_users=True,
        )
        environment = {**os.environ, ASSIGNMENT: msgspec.json.encode(assignment).decode()}
        done = subprocess.run(
            [sys.executable, "-m", "ramet", "replica"],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stderr


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def another_authority(bakery: Bakery) -> None:
    (bakery.certificates / "authority.pem").unlink()
    Authority(bakery.certificates, clock=CLOCK).make("somebody else")


MISTAKES: dict[str, tuple[Callable[[Bakery], object], str]] = {
    "token-gone": (lambda one: one.token.unlink(), "The token .*token cannot be read: No such file"),
    "token-cut": (lambda one: cut(one.token), "token would not be believed by others: The token cannot be trusted"),
    "token-empty": (lambda one: one.token.write_bytes(b""), "would not be believed by others: There is no token"),
    "token-foreign": (lambda one: one.sign("bakery", "other", CLOCK), "The token is of another deployment than"),
    "token-old": (lambda one: one.sign("bakery", "split", Past()), "has expired .* the clocks of the two hosts differ"),
    "keys-gone": (lambda one: (one.keys / PUBLIC).unlink(), r"public\.json is no file of public keys"),
    "keys-cut": (lambda one: cut(one.keys / PUBLIC), r"public\.json is no file of public keys"),
    "keys-foreign": (
        lambda one: ((one.keys / PUBLIC).unlink(), make_keys(one.keys)),
        "bakery/split does not know",
    ),
    "callers-gone": (lambda one: (one.keys / "callers" / PUBLIC).unlink(), r"callers.public\.json is no file"),
    "callers-open": (lambda one: (one.keys / "callers" / SIGNING).chmod(0o644), r"signing\.pem can be read by others"),
    "callers-cut": (lambda one: cut(one.keys / "callers" / SIGNING), r"signing\.pem is no private key"),
    "callers-unsigned": (lambda one: (one.keys / "callers" / SIGNING).unlink(), r"signing key .* cannot be read"),
    "callers-other": (
        lambda one: (one.keys / "callers" / PUBLIC).write_bytes((one.keys / PUBLIC).read_bytes()),
        "does not have the public key of",
    ),
    "authority": (another_authority, r"back\.pem was not signed by .*authority\.pem"),
    "certificate-cut": (lambda one: cut(one.certificates / "back.pem"), r"back\.pem is no certificate"),
    "certificate-gone": (lambda one: (one.certificates / "back.key").unlink(), "make it with `ramet certs make back"),
    "key-of-another": (
        lambda one: (one.certificates / "back.key").write_bytes((one.certificates / "authority.key").read_bytes()),
        "TLS cannot be set up from",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_it_is_one_sentence_and_no_traceback(tmp_path: Path, mistake: str) -> None:
    bakery = Bakery(tmp_path)
    spoil, sentence = MISTAKES[mistake]
    spoil(bakery)
    code, said = bakery.start()
    assert code == 2, said
    (line,) = said.splitlines()
    assert re.search(sentence, line), line
