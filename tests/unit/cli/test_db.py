"""`ramet db`: migrations are written, applied, compared, and everything is told as JSON too."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from ramet.runtime.tables import HISTORY
from tests.unit.cli.conftest import Ramet


@pytest.fixture
def service(hello: Path) -> Path:
    """The service's folder, without migrations and without a database."""
    folder = hello / "made_by_test" / "greetings"
    shutil.rmtree(folder / "migrations", ignore_errors=True)
    shutil.rmtree(hello / ".ramet", ignore_errors=True)
    yield folder
    shutil.rmtree(folder / "migrations", ignore_errors=True)
    shutil.rmtree(hello / ".ramet", ignore_errors=True)


def test_the_first_migration_makes_the_tables(ramet: Ramet, service: Path) -> None:
    first = ramet("db", "check")
    assert (first.code, "`ramet db revision greetings -m first`" in first.err) == (1, True)
    written = ramet("db", "revision", "greetings", "-m", "people", "--json").json["written"]
    assert Path(written) == service / "migrations" / "versions" / "0001_people.py"
    assert ramet("db", "check").out == "The tables are what the code declares.\n"
    status = ramet("db", "status", "--json")
    assert (status.code, len(status.json[0]["pending"])) == (1, 1)
    assert ramet("db", "migrate").out == "greetings: 1 applied\n"
    assert ramet("db", "status").code == 0
    assert ramet("db", "migrate").out == "Every database is up to date.\n"
    assert ramet("db", "check", "--database").code == 0


def test_a_second_migration_without_a_change_is_refused(ramet: Ramet, service: Path) -> None:
    ramet("db", "revision", "greetings", "-m", "people")
    result = ramet("db", "revision", "greetings", "-m", "again")
    assert result.code == 1
    assert "nothing to migrate" in result.err


def test_a_start_applies_what_is_pending(ramet: Ramet, service: Path) -> None:
    ramet("db", "revision", "greetings", "-m", "people")
    assert ramet("call", "greetings.greet", '{"name": "Ada"}').json["times"] == 1
    assert ramet("db", "status").code == 0


def test_a_database_made_without_migrations_can_be_adopted(ramet: Ramet, service: Path) -> None:
    ramet("call", "greetings.greet", '{"name": "Ada"}')
    ramet("db", "revision", "greetings", "-m", "people")
    refused = ramet("db", "migrate")
    assert refused.code == 1
    assert "`ramet db adopt greetings`" in refused.err
    assert ramet("db", "adopt", "greetings").code == 0
    assert ramet("db", "migrate").out == "Every database is up to date.\n"
    assert ramet("call", "greetings.times", '{"name": "Ada"}').json == 1


def test_a_database_of_other_code_is_not_adopted_and_not_worked_on(ramet: Ramet, service: Path) -> None:
    ramet("call", "greetings.greet", '{"name": "Ada"}')
    file = service.parents[1] / ".ramet" / "local" / "greetings.sqlite"
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute("ALTER TABLE people RENAME COLUMN times TO often")
    refused = ramet("call", "greetings.times", '{"name": "Ada"}')
    assert "the table people without the column times" in refused.err
    ramet("db", "revision", "greetings", "-m", "people")
    refused = ramet("db", "adopt", "greetings")
    assert (refused.code, "add column people.times, remove column people.often" in refused.err) == (1, True)
    assert ramet("db", "adopt", "greetings", "--anyway").code == 0


def test_without_migrations_there_is_nothing_to_adopt(ramet: Ramet, service: Path) -> None:
    refused = ramet("db", "adopt", "greetings")
    assert (refused.code, "`ramet db revision greetings -m first`, and adopt it then" in refused.err) == (2, True)
    assert ramet("db", "migrate").err.startswith("Without migrations: greetings. ")


def test_a_remedy_names_the_deployment_that_it_is_for(ramet: Ramet, hello: Path, service: Path) -> None:
    file = hello / "ramet.toml"
    text = file.read_text()
    file.write_text(text + '\n[deployment.other]\ndata = ".ramet/other"\n')
    try:
        assert ramet("call", "-d", "other", "greetings.greet", '{"name": "Ada"}').code == 0
        ramet("db", "revision", "greetings", "-m", "people")
        for command in (("db", "migrate"), ("call", "greetings.times", '{"name": "Ada"}')):
            refused = ramet(*command, "-d", "other")
            assert (refused.code, "`ramet db adopt greetings -d other`" in refused.err) == (1, True)
    finally:
        file.write_text(text)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("ALTER TABLE people RENAME COLUMN times TO often", "the table people without the column times"),
        ("DROP TABLE people", "no table people"),
    ],
)
def test_code_that_is_ahead_of_its_migrations_is_not_started(
    ramet: Ramet, service: Path, statement: str, told: str
) -> None:
    file = Path(ramet("db", "revision", "greetings", "-m", "people", "--json").json["written"])
    file.write_text(
        file.read_text().replace("\n\n\ndef downgrade", f'\n    op.execute("{statement}")\n\n\ndef downgrade')
    )
    refused = ramet("call", "greetings.times", '{"name": "Ada"}')
    assert refused.code == 1
    assert f"The database of greetings has every migration and {told}, which the code declares: write" in refused.err
    assert "`ramet db revision greetings -m MESSAGE`" in refused.err


def test_a_service_that_is_not_there_is_refused_with_those_that_are(ramet: Ramet, service: Path) -> None:
    result = ramet("db", "migrate", "shop")
    assert (result.code, result.err) == (2, 'error: There is no service "shop" with tables; there are greetings.\n')


def test_ramets_own_tables_are_upgraded_and_a_later_release_is_refused(ramet: Ramet, service: Path) -> None:
    assert ramet("db", "upgrade").out == "There is no database yet.\n"
    assert ramet("db", "migrate").code == 0
    version = HISTORY.version
    assert ramet("db", "upgrade", "--json").json == [{"service": "greetings", "before": 1, "now": version}]
    assert ramet("db", "upgrade", "--json").json == [{"service": "greetings", "before": version, "now": version}]

    file = service.parents[1] / ".ramet" / "local" / "greetings.sqlite"
    with sqlite3.connect(file) as raw:
        raw.execute("UPDATE ramet_schema SET version = 99, compatible = 98")
    raw.close()
    for command in (("db", "upgrade"), ("call", "greetings.times", '{"name": "Ada"}')):
        refused = ramet(*command)
        assert refused.code == 1
        assert f"are of version 99, and this release knows those up to {version}: install" in refused.err
