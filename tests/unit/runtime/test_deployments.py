"""The deployments of ramet.toml: what is read from them, and every mistake with its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ramet.errors import ConfigurationError
from ramet.model.policies import Budgets, Http, Policy
from ramet.model.topology import Assignment, Group
from ramet.runtime.configuration import Configuration, load

Read = Callable[[str], Configuration]
SPLIT = """
[application]
name = "shop"
services = []

[settings.users]
password_cost = 4
token = "t"

[deployment.split]
storage = "postgresql://localhost:5432"
broker = "env:BROKER"
gateway = { listen = "127.0.0.1:8080" }
together = [["a", "b"]]

[deployment.split.process.edge]
services = ["storefront", "users"]
replicas = 2
zone = "left"

[deployment.split.process.rest]
services = "*"

[deployment.split.settings.users]
password_cost = 12

[deployment.production]
extends = "split"
storage = "postgresql://db:5432"

[deployment.production.process.edge]
replicas = 5
"""


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def reading(text: str) -> Configuration:
        (tmp_path / "ramet.toml").write_text(text, encoding="utf-8")
        return load(tmp_path / "ramet.toml")

    return reading


def mistakes(read: Read, text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read('[application]\nname = "shop"\nservices = []\n' + text)
    return str(caught.value).splitlines()


def test_groups_engines_and_the_gateway_are_read(read: Read) -> None:
    split = read(SPLIT).deployment("split", {"BROKER": "nats://b:4222"})
    assert split.listen == "127.0.0.1:8080"
    assert (split.storage, split.broker) == ("postgresql://localhost:5432", "nats://b:4222")
    assert split.together == (("a", "b"),)
    assert split.preload
    assert split.startup_seconds == 60.0
    assert split.groups == (
        Group(name="edge", services=("storefront", "users"), replicas=2, zone="left"),
        Group(name="rest", services=("*",)),
    )


def test_a_deployment_extends_another_key_by_key(read: Read) -> None:
    production = read(SPLIT).deployment("production", {"BROKER": "nats://b:4222"})
    assert production.storage == "postgresql://db:5432"
    assert production.data == ".ramet/production"
    assert [(group.name, group.replicas, group.zone) for group in production.groups] == [
        ("edge", 5, "left"),
        ("rest", 1, ""),
    ]


def test_settings_of_a_deployment_lie_over_those_of_all(read: Read) -> None:
    configuration = read(SPLIT)
    assert configuration.settings_of("local") == {"users": {"password_cost": 4, "token": "t"}}
    assert configuration.settings_of("production") == {"users": {"password_cost": 12, "token": "t"}}


def test_a_reference_that_leads_nowhere_is_told_when_the_deployment_is_used(read: Read) -> None:
    configuration = read(SPLIT)
    with pytest.raises(ConfigurationError, match=r"ramet.toml:12: broker of \[deployment.split\]: the environment"):
        configuration.deployment("split", {})
    for value, what in (("kafka://secret@b", 'a URL that begins with "kafka://"'), ("secret", "no URL"), ("", "empty")):
        told = rf"ramet.toml:12: broker of \[deployment.split\]: env:BROKER is {what}; broker is \"memory\", a URL of"
        with pytest.raises(ConfigurationError, match=told) as caught:
            configuration.deployment("split", {"BROKER": value})
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("line", "key"), [("name = shop", "name"), ("a.strict = True", "strict"), ("name =", "name")])
def test_a_value_that_is_none_is_told_with_its_key(read: Read, line: str, key: str) -> None:
    told = f"^ramet.toml:2: {key} has no valid value: text is written in quotes, true and false in small letters.$"
    with pytest.raises(ConfigurationError, match=told):
        read(f"[application]\n{line}\n")


def test_a_replica_has_the_engines_of_its_supervisor(read: Read) -> None:
    assignment = Assignment(
        deployment="split", group="edge", replica=0, hosts=(), internal="unix:/x", broker="nats://other:1"
    )
    found = read(SPLIT).assigned(assignment, {})
    assert (found.storage, found.broker) == ("postgresql://localhost:5432", "nats://other:1")


def test_what_is_written_in_the_deployment_that_is_extended_is_found_there(read: Read) -> None:
    configuration = read(SPLIT)
    assert configuration.place("deployment", "production", "process", "edge", "replicas")[1] == 32
    assert configuration.place("deployment", "production", "process", "edge", "zone")[1] == 19
    assert configuration.place("deployment", "production", "broker")[1] == 12


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[deployment.a]\nstorage = "mysql://x"', 'ramet.toml:5: storage is "sqlite", a URL'),
        (
            '[deployment.a]\nbroker = "kafka://x"',
            '"nats://localhost:4222"), RabbitMQ ("amqp://localhost:5672") or Redis ("redis://localhost:6379"), or "',
        ),
        ('[deployment.a]\nbroker = "x://y"\nbroker_class = "mine"', 'ramet.toml:6: broker_class is "module:Class"'),
        ('[deployment.a]\nbroker_class = "mine:Mine"', "ramet.toml:4: beside broker_class, broker is the URL"),
        ('[deployment.a]\nbrokr = "memory"', 'ramet.toml:5: [deployment.a] has no "brokr"; did you mean "broker"?'),
        ('[deployment.a]\nlisten = ":1"\ngateway = { listen = ":2" }', "ramet.toml:6: gateway and listen both"),
        ('[deployment.a]\ngateway = { listen = "here" }', "ramet.toml:5: listen is an address such as"),
        ('[deployment.a]\ndurability = "some"', 'ramet.toml:5: durability is "full", "normal" or "off"'),
        (
            "[deployment.a]\nstartup_seconds = 0",
            "ramet.toml:5: startup_seconds is more than 0, and at most 86400 (a day)",
        ),
        ('[deployment.a]\ndata = ""', "ramet.toml:5: data is the folder"),
        ('[deployment.a]\nextends = "b"\n[deployment.bb]', "ramet.toml:5: there is no [deployment.b] to extend; did"),
        ('[deployment.a]\nextends = "b"\n[deployment.b]\nextends = "a"', 'ramet.toml:5: "a" extends itself, through'),
        ("[deployment.a.process.g]\nreplicas = 1", "[deployment.a.process.g] needs services."),
        (
            '[deployment.a.process.g]\nservices = "*"\nreplicas = 0',
            "ramet.toml:6: [deployment.a.process.g] replicas: expected",
        ),
        ('[deployment.a.process.g]\nservices = "users"', 'ramet.toml:5: services is a list of names, or "*"'),
        ("[deployment.a.process.g]\nservices = []", 'ramet.toml:5: the group "g" is empty'),
        ('[deployment.a.process.G]\nservices = "*"', 'ramet.toml:4: "G" is no name of a group'),
        ('[deployment.a.process.g]\nservices = "*"\nisolated = true', 'ramet.toml:6: "g" is isolated'),
        ('[deployment.a.process.g]\nservices = "*"\ninternal = "udp://x"', "ramet.toml:6: internal is"),
        (
            '[deployment.a.process.g]\nservices = "*"\nreplicas = 2\ninternal = "tcp://0.0.0.0:90"',
            "ramet.toml:7: 2 replicas cannot have the one port 90",
        ),
        ("[deployment.a]\nprocess = 3", "ramet.toml:5: [deployment.a.process] holds tables"),
        ("[deployment]\na = 3", "ramet.toml:4: [deployment] holds tables"),
        (
            '[deployment.a]\nstorage = "postgresql://h:x"',
            "ramet.toml:5: the port of the URL is no number from 1 to 65535",
        ),
        ('[deployment.a]\nbroker = "nats://h:1,nats://h:65536"', "ramet.toml:5: the port of the URL is no number"),
        ('[deployment.a.process.g]\nservices = "*"\ninternal = "tcp://h:65536"', "ramet.toml:6: internal is"),
        (
            "[deployment.a]\n\ngateway = { listn = ':1' }",
            'ramet.toml:6: [deployment.a.gateway] has no "listn"; did you',
        ),
        ("[deployment.a]\n\ngateway = {}", "ramet.toml:6: [deployment.a] gateway needs listen."),
        ('[deployment.a]\ncontracts = "/"', 'ramet.toml:5: contracts is a path such as "/contracts"'),
        ('[deployment.a]\ncors_origins = ["https://h/x"]', "ramet.toml:5: an origin is such as"),
        ('[deployment."../a"]', 'ramet.toml:4: "../a" is no name of a deployment'),
        (
            "[deployment.a]\nprocess = { g = { servces = [] } }",
            'ramet.toml:5: [deployment.a.process.g] has no "servces"',
        ),
    ],
)
def test_a_mistake_is_one_sentence_with_its_line(read: Read, text: str, told: str) -> None:
    found = mistakes(read, text)
    assert any(told in line for line in found), found


@pytest.mark.parametrize("name", ["../shop", "a\\u0000", "", "x" * 61])
def test_an_application_has_a_name_that_servers_and_files_can_have(read: Read, name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^ramet\.toml:2: "):
        read(f'[application]\nname = "{name}"\nservices = []')


@pytest.mark.parametrize("value", ["env:NATS", "nats://a:1,nats://b:2", "nats://u:%23@h", "tls://[::1]:4222", "memory"])
def test_whatever_is_a_broker_is_taken(read: Read, value: str) -> None:
    assert read(SPLIT.replace("env:BROKER", value)).deployments["split"].broker == value


@pytest.mark.parametrize("origin", ["*", "https://shop.example", "http://localhost:5173", "app://x", "http://[::1]:3"])
def test_whatever_is_an_origin_is_taken(read: Read, origin: str) -> None:
    assert read(f'{SPLIT}\n[deployment.a]\ncors_origins = ["{origin}"]').deployments["a"].cors_origins == (origin,)


def test_a_port_is_looked_at_where_a_reference_leads(read: Read) -> None:
    with pytest.raises(ConfigurationError, match=r"ramet.toml:12: broker of \[deployment.split\]: the port of the URL"):
        read(SPLIT).deployment("split", {"BROKER": "nats://h:x"})


def test_a_broker_of_ones_own_has_any_scheme(read: Read) -> None:
    own = '[deployment.a]\nbroker = "mine://x"\nbroker_class = "my.broker:Mine"'
    found = read(f'[application]\nname = "x"\nservices = ["x"]\n{own}').deployment("a")
    assert (found.broker, found.broker_class) == ("mine://x", "my.broker:Mine")


def test_all_mistakes_are_told_at_once(read: Read) -> None:
    found = mistakes(read, '[deployment.a]\nstorage = "x"\nbroker = "y"\n[deployment.a.process.g]\nservices = []')
    assert [line.partition(": ")[0] for line in found] == ["ramet.toml:5", "ramet.toml:6", "ramet.toml:8"]


POLICIES = """
[deployment.split.policy]
deadline_seconds = 3
attempts = 2
hedging = true
retry_share = 0.1

[deployment.split.policy."inventory.stock"]
attempts = 7
concurrency = 8

[deployment.split.policy.inventory]
breaker_failures = 9

[deployment.split.http]
deadline_seconds = 20
max_body_bytes = 65536

[deployment.production]
extends = "split"

[deployment.production.policy]
attempts = 3

[deployment.production.policy."inventory.stock"]
queue = 0
"""


def test_policies_are_read_and_laid_on_those_that_are_extended(read: Read) -> None:
    found = read('[application]\nname = "shop"\nservices = []\n' + POLICIES)
    split, production = found.deployment("split"), found.deployment("production")
    assert split.policy == Policy(deadline_seconds=3, attempts=2, hedging=True)
    assert split.budgets == Budgets(retry_share=0.1)
    assert split.policies == {
        "inventory.stock": Policy(attempts=7, concurrency=8),
        "inventory": Policy(breaker_failures=9),
    }
    assert split.http == Http(deadline_seconds=20, max_body_bytes=65536)
    assert production.policy == Policy(deadline_seconds=3, attempts=3, hedging=True)
    assert production.policies["inventory.stock"] == Policy(attempts=7, concurrency=8, queue=0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[deployment.a.policy]\natempts = 2", '5: [deployment.a.policy] has no "atempts"; did you mean "attempts"?'),
        ("[deployment.a.policy]\nattempts = 0", "5: [deployment.a.policy] attempts: expected an integer >= 1."),
        ("[deployment.a.policy]\nretry_share = 2", "retry_share: expected a float <= 1.0."),
        ("[deployment.a.policy.stock]\nqueue = -1", "5: [deployment.a.policy.stock] queue: expected an integer >= 0"),
        ('[deployment.a.policy."s.m"]\nretry_share = 0.1', "retry_share is shared by all calls: it belongs into"),
        ("[deployment.a.policy.s.m]\nattempts = 2", 'a method is named in quotes: [deployment.a.policy."s.m"].'),
        ("[deployment.a]\npolicy = 3", "5: [deployment.a.policy] is a table, such as `attempts = 2`"),
        ("[deployment.a.http]\nmax_body = 3", 'has no "max_body"; did you mean "max_body_bytes"?'),
        (
            "[deployment.a.http]\ndeadline_seconds = 0",
            "5: [deployment.a.http] deadline_seconds: expected a float > 0.0",
        ),
    ],
)
def test_mistakes_in_policies_are_told_with_their_line(read: Read, text: str, expected: str) -> None:
    assert any(expected in line for line in mistakes(read, text)), mistakes(read, text)
