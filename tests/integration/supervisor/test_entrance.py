"""A storage that does not let the services in ends `ramet up` with one sentence, before anything is started."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from ramet.testing.engines.postgres import PostgresServer
from tests.integration.cli.deployment import ramet
from tests.integration.supervisor.bakery import TOML, write_to

pytestmark = pytest.mark.needs("postgresql")

ONE_PROCESS = TOML.partition("\n[deployment.split.process.front]")[0]
PROVISION = "`ramet db provision -d split`"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


Baking = Callable[[str], Path]


@pytest.fixture(params=[TOML, ONE_PROCESS], ids=["groups", "one process"])
def bakery(tmp_path: Path, request: pytest.FixtureRequest) -> Baking:
    def write(storage: str) -> Path:
        engines = f'\n[deployment.split]\nstorage = "{storage}"\n'
        write_to(tmp_path, request.param.replace("\n[deployment.split]\n", engines))
        return tmp_path

    return write


def refusal(folder: Path) -> str:
    """What `ramet up` says, which is nothing else."""
    result = ramet(folder, "up", "split", "--no-reload")
    assert (result.returncode, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    return line


def test_a_wrong_password_is_one_sentence_with_its_line(server: PostgresServer, bakery: Baking) -> None:
    folder = bakery(server.url.replace(server.password, "wrong"))
    line = refusal(folder)
    assert line.startswith(
        f"error: PostgreSQL at 127.0.0.1:{server.port} does not let ovens in as ramet (password auth"
    )
    assert line.endswith(": mend the user and the password of storage in ramet.toml:7.")
    assert "wrong" not in line


def test_a_wrong_password_is_named_by_the_variable_that_has_it(
    server: PostgresServer, bakery: Baking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAKERY_STORAGE", server.url.replace(server.password, "wrong"))
    line = refusal(bakery("env:BAKERY_STORAGE"))
    told = "in the environment variable BAKERY_STORAGE, to which storage in ramet.toml:7 refers."
    assert line.endswith(f": mend the user and the password {told}")
    assert "wrong" not in line


def test_a_database_that_is_not_there_names_what_creates_it(server: PostgresServer, bakery: Baking) -> None:
    line = refusal(bakery(f"{server.url}/nowhere"))
    assert line.endswith(f'in as ramet (database "nowhere" does not exist): {PROVISION} creates it.')


@pytest.mark.parametrize("command", ["status", "migrate", "upgrade"])
def test_commands_on_a_database_that_is_not_there_name_what_creates_it(
    server: PostgresServer, bakery: Baking, command: str
) -> None:
    result = ramet(bakery(f"{server.url}/nowhere"), "db", command, "-d", "split")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.endswith(f": {PROVISION} creates it.\n")


def test_a_role_whose_password_was_changed_is_mended_by_provisioning(server: PostgresServer, bakery: Baking) -> None:
    folder = bakery(server.url)
    assert ramet(folder, "db", "provision", "-d", "split").returncode == 0
    file = folder / ".ramet" / "split" / "postgresql.json"
    file.write_bytes(msgspec.json.encode({"ovens": "another"}))
    line = refusal(folder)
    assert " does not let ovens in as bakery_ovens (" in line
    assert line.endswith(f"in .ramet/split/postgresql.json, and {PROVISION} makes PostgreSQL take it.")
    assert ramet(folder, "db", "provision", "-d", "split").returncode == 0
    assert ramet(folder, "db", "status", "-d", "split").returncode == 0


def test_provisioning_that_fails_leaves_nothing_behind(server: PostgresServer, bakery: Baking) -> None:
    folder = bakery(server.url.replace(server.password, "wrong"))
    result = ramet(folder, "db", "provision", "-d", "split")
    assert (result.returncode, "mend the user and the password" in result.stderr) == (2, True)
    assert not (folder / ".ramet").exists()


def test_operators_are_told_of_a_server_that_is_away_by_its_place(bakery: Baking) -> None:
    folder = bakery("postgresql://127.0.0.1:1")
    does_not_run = 'error: The deployment "split" does not run (`ramet up split`), and PostgreSQL does not answer at '
    for command, told in {("sagas", "list"): does_not_run, ("db", "provision"): "error: PostgreSQL at "}.items():
        result = ramet(folder, *command, "-d", "split")
        assert result.returncode == 1
        assert result.stderr.startswith(told)
        assert "127.0.0.1:1 " in result.stderr
        assert "(connection refused): s" in result.stderr
        assert "commit" not in result.stderr
