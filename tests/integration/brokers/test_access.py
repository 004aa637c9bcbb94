"""Brokers that let in only whom they know, over TLS: users and passwords, certificates, NATS credentials."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nkeys
import pytest

from ramet.clock import SystemClock
from ramet.errors import ConfigurationError, Unavailable
from ramet.events.base import Subscription
from ramet.events.lanes import Lanes
from ramet.identity.certificates import Authority
from ramet.tasks import Tasks
from ramet.testing.conformance.broker import Recorder, message
from ramet.testing.engines.base import free_port
from ramet.testing.engines.nats import NatsEngine
from ramet.testing.engines.rabbitmq import RabbitEngine
from ramet.testing.engines.redis import RedisEngine
from tests.integration.brokers.worker import INTEREST, make_broker

USER, PASSWORD = "shop", "s3cret"


class Certified:
    """An authority, another that nobody knows, and a certificate for the server and for a client."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder / "known", clock=SystemClock())
        self.ca = self.authority.make("test").certificate
        self.server = self.authority.issue("broker", ["127.0.0.1", "localhost"])
        self.client = self.authority.issue("money", [])
        self.stranger = Authority(folder / "unknown", clock=SystemClock()).make("another").certificate

    def query(self, **names: str) -> str:
        """What a client says, its options called as the adapter calls them."""
        files = {"ca": self.ca, "certificate": self.client.certificate, "key": self.client.key}
        return "&".join(f"{names.get(name, name)}={path}" for name, path in files.items())


@pytest.fixture
def certified(tmp_path: Path) -> Certified:
    return Certified(tmp_path / "certificates")


class GuardedNats(NatsEngine):
    """NATS with more in its configuration."""

    more = ""

    def prepare(self) -> tuple[Sequence[str], Mapping[str, str]]:
        command, environment = super().prepare()
        with (self.folder / "nats.conf").open("a") as settings:
            settings.write(self.more)
        return command, environment


class GuardedRabbit(RabbitEngine):
    """RabbitMQ that speaks TLS only, with everybody who has a certificate."""

    files: Certified

    def prepare(self) -> tuple[Sequence[str], Mapping[str, str]]:
        command, environment = super().prepare()
        settings = self.folder / "rabbitmq.conf"
        plain = f"listeners.tcp.1 = 127.0.0.1:{self.port}\n"
        settings.write_text(
            settings.read_text().replace(plain, "listeners.tcp = none\n")
            + f"listeners.ssl.1 = 127.0.0.1:{self.port}\nssl_options.cacertfile = {self.files.ca}\n"
            f"ssl_options.certfile = {self.files.server.certificate}\nssl_options.keyfile = {self.files.server.key}\n"
            "ssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = true\n"
            f"default_user = {USER}\ndefault_pass = {PASSWORD}\n"
        )
        return command, environment


@contextmanager
def nats(folder: Path, more: str) -> Iterator[GuardedNats]:
    engine = GuardedNats(folder / "nats")
    engine.more = more
    with engine:
        yield engine


async def carries(url: str) -> None:
    """An event goes through the broker at this address."""
    tasks, got = Tasks(), Recorder()
    broker: Any = make_broker(url, f"test-{uuid.uuid4().hex}", tasks)
    try:
        await broker.open()
        lanes = Lanes(got.deliver, spawn=tasks.spawn, clock=SystemClock())
        await broker.subscribe(Subscription(INTEREST.consumer, INTEREST.topics, lanes))
        await broker.publish([message(1, key="k")])
        await got.until(1)
    finally:
        await broker.close()
        await tasks.stop()


async def refused(url: str, *kinds: type[Exception]) -> str:
    """What is said to whom the broker does not let in, without the secrets."""
    with pytest.raises(kinds or Unavailable) as caught:
        await carries(url)
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


@pytest.mark.needs("nats")
async def test_nats_lets_in_whoever_has_the_password(tmp_path: Path) -> None:
    with nats(tmp_path, f"authorization {{ user: {USER}, password: {PASSWORD} }}\n") as engine:
        at = f"127.0.0.1:{engine.port}?sync=always&patience_seconds=3"
        await carries(f"nats://{USER}:{PASSWORD}@{at}")
        assert "uthoriz" in await refused(f"nats://{USER}:{PASSWORD}x@{at}")


@pytest.mark.needs("nats")
async def test_nats_over_tls_with_a_certificate_of_the_client(tmp_path: Path, certified: Certified) -> None:
    files = certified.server
    own = f'cert_file: "{files.certificate}", key_file: "{files.key}"'
    more = f'tls {{ {own}, ca_file: "{certified.ca}", verify: true }}\n'
    with nats(tmp_path, f"authorization {{ user: {USER}, password: {PASSWORD} }}\n{more}") as engine:
        at = f"{USER}:{PASSWORD}@127.0.0.1:{engine.port}?sync=always&patience_seconds=3"
        await carries(f"tls://{at}&{certified.query()}")
        await carries(f"nats://{at}&{certified.query()}")
        assert "certificate" in await refused(f"tls://{at}&ca={certified.stranger}")
        assert "nowhere.pem" in await refused(f"tls://{at}&ca={tmp_path}/nowhere.pem", ConfigurationError)


@pytest.mark.needs("nats")
async def test_nats_lets_in_whoever_has_a_credentials_file(tmp_path: Path) -> None:
    more, credentials = operated(tmp_path)
    with nats(tmp_path, more) as engine:
        at = f"nats://127.0.0.1:{engine.port}?sync=always&patience_seconds=3"
        await carries(f"{at}&credentials={credentials}")
        assert "uthoriz" in await refused(at)
        assert "nowhere" in await refused(f"{at}&credentials={tmp_path}/nowhere", ConfigurationError)


@pytest.mark.needs("rabbitmq")
async def test_rabbitmq_over_tls_with_a_password_and_a_certificate(tmp_path: Path, certified: Certified) -> None:
    engine = GuardedRabbit(tmp_path / "rabbitmq")
    engine.files = certified
    with engine:
        at, options = (
            f"127.0.0.1:{engine.port}/?patience_seconds=4",
            certified.query(ca="cafile", certificate="certfile", key="keyfile"),
        )
        await carries(f"amqps://{USER}:{PASSWORD}@{at}&{options}")
        await refused(f"amqps://{USER}:{PASSWORD}x@{at}&{options}")
        assert "certificate" in (await refused(f"amqps://{USER}:{PASSWORD}@{at}&cafile={certified.stranger}")).lower()


ACL = f"{USER} on >{PASSWORD} ~ramet:* &ramet:* -@all +@read +@write +@pubsub +@connection +eval +info"


@pytest.mark.needs("redis")
async def test_redis_lets_in_whoever_has_the_password_and_needs_no_more_than_its_keys(tmp_path: Path) -> None:
    with RedisEngine(tmp_path / "redis", settings={"user": ACL}) as engine:
        at = f"127.0.0.1:{engine.port}/0?sync=always&patience_seconds=20"
        await carries(f"redis://{USER}:{PASSWORD}@{at}")
        assert "invalid username-password" in await refused(f"redis://{USER}:{PASSWORD}x@{at}")


@pytest.mark.needs("redis")
async def test_redis_over_tls_with_a_certificate_of_the_client(tmp_path: Path, certified: Certified) -> None:
    files, port = certified.server, free_port()
    settings = {"port": "0", "tls-port": str(port), "user": ACL, "tls-ca-cert-file": str(certified.ca)}
    settings |= {"tls-cert-file": str(files.certificate), "tls-key-file": str(files.key)}
    engine = RedisEngine(tmp_path / "redis", settings=settings)
    engine.port = port
    with engine:
        at = f"{USER}:{PASSWORD}@127.0.0.1:{port}/0?sync=always&patience_seconds=2"
        await carries(f"rediss://{at}&{certified.query()}")
        await carries(f"redis://{at}&{certified.query()}")
        assert "certificate" in await refused(f"rediss://{at}&ca={certified.stranger}")
        assert "nowhere.pem" in await refused(f"rediss://{at}&ca={tmp_path}/nowhere.pem", ConfigurationError)


def operated(folder: Path) -> tuple[str, Path]:
    """The configuration of a server whose operator knows one account, and the credentials of a user of that."""
    kinds = (nkeys.PREFIX_BYTE_OPERATOR, nkeys.PREFIX_BYTE_ACCOUNT, nkeys.PREFIX_BYTE_ACCOUNT, nkeys.PREFIX_BYTE_USER)
    operator, system, account, user = (nkeys.from_seed(seed(kind)) for kind in kinds)
    limits = {"subs": -1, "data": -1, "payload": -1}
    unlimited = {**limits, "imports": -1, "exports": -1, "wildcards": True, "conn": -1, "leaf": -1}
    storage = {"mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1}
    of_operator = token(operator, operator, {"type": "operator"})
    of_account = token(operator, account, {"type": "account", "limits": {**unlimited, **storage}})
    of_system = token(operator, system, {"type": "account", "limits": unlimited})
    of_user = token(account, user, {"type": "user", "pub": {}, "sub": {}, **limits})
    credentials = folder / "shop.creds"
    credentials.write_text(
        f"-----BEGIN NATS USER JWT-----\n{of_user}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed.decode()}\n------END USER NKEY SEED------\n"
    )
    known = {system: of_system, account: of_account}
    accounts = ", ".join(f"{one.public_key.decode()}: {its}" for one, its in known.items())
    server = f"operator: {of_operator}\nresolver: MEMORY\nresolver_preload: {{ {accounts} }}\n"
    return f"{server}system_account: {system.public_key.decode()}\n", credentials


def seed(kind: int) -> bytes:
    return bytes(nkeys.encode_seed(SystemClock().bits(256).to_bytes(32), kind))


def token(issuer: Any, subject: Any, nats_claims: Mapping[str, Any]) -> str:
    """A JWT as NATS wants it."""
    claims = {"iss": issuer.public_key.decode(), "sub": subject.public_key.decode(), "name": "test", "iat": 1}
    claims["nats"] = {**nats_claims, "version": 2}
    claims["jti"] = base64.b32encode(hashlib.sha256(json.dumps(claims).encode()).digest()).decode().rstrip("=")
    parts = [encoded(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "ed25519-nkey"}, claims)]
    return ".".join((*parts, encoded(issuer.sign(".".join(parts).encode()))))


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
